using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Description;

/// <summary>Devices that a system description can grant, by name.</summary>
public static class DeviceCatalog
{
    /// <summary>Name and physical address of the one page that holds its registers.</summary>
    public static IReadOnlyDictionary<string, ulong> Pages { get; } = new SortedDictionary<string, ulong>(System.StringComparer.Ordinal)
    {
        ["entropy"] = Virt.EntropyDevice,
    };

    /// <summary>Name and INTID of those with an interrupt for which Linux's TEE driver comes to SK.</summary>
    public static IReadOnlyDictionary<string, uint> Interrupts { get; } = new SortedDictionary<string, uint>(System.StringComparer.Ordinal)
    {
        ["entropy"] = Virt.NotificationIntId,
    };
}
