using System;
using System.Globalization;
using System.Text;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>Prints what the secure world has: everything with a name, and memory.</summary>
internal static class Inventory
{
    private const ulong Kib = 1024;

    public static int Resources()
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        StringBuilder text = new($"{"name",-36} {"domain",-36} {"type",-9} {"id",3} {"connected",9}\n");
        foreach (ResourceReport resource in statistics.Resources())
        {
            string line = string.Create(CultureInfo.InvariantCulture, $"{resource.Name,-36} {resource.Domain,-36} {Enum.GetName(resource.Kind),-9} {resource.Id,3} {resource.Connected,9} {resource.Uuid}");
            _ = text.Append(line.TrimEnd()).Append('\n');
        }

        Console.Out.Write(text);
        return 0;
    }

    public static int Memory()
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        StringBuilder text = new($"{"component",-36} {"quota KiB",10} {"used KiB",10} {"donated KiB",12}\n");
        foreach (ComponentReport component in statistics.Components())
        {
            ComponentStatus status = component.Status;
            _ = text.Append(CultureInfo.InvariantCulture, $"{component.Name,-36} {status.UntypedBytes / Kib,10} {status.UsedBytes / Kib,10} {status.DonatedBytes / Kib,12}\n");
        }

        MemoryStatus memory = statistics.Memory();
        _ = text.Append(CultureInfo.InvariantCulture, $"{"all " + memory.Components,-36} {memory.QuotaBytes / Kib,10} {memory.UsedBytes / Kib,10} {memory.DonatedBytes / Kib,12}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"pool {memory.PoolBytes / Kib} KiB\n");
        Console.Out.Write(text);
        return 0;
    }
}
