using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>What kit.S calls.</summary>
internal static unsafe class Program
{
    private static KitState _state;
    private static KernelMachine _machine;

    /// <summary>Prepares the program's first context; kit.S installs the personality and resumes it.</summary>
    [RuntimeExport("kit_start")]
    private static void Start(StartInfo* info)
    {
        // SAFETY: kit.S reserves the page, and SK maps the start information read only for the life of the component.
        ref UserContext initial = ref Unsafe.AsRef<UserContext>((void*)Kernel.InitialAddress());
        new Personality<KernelMachine>(ref _state, ref _machine, ref initial).Start(in *info);
    }

    [RuntimeExport("kit_handle")]
    private static void Handle(ReflectReason reason)
    {
        // SAFETY: kit.S reserves the page; SK writes it before each entry, and reads it when we are done.
        ref UserContext live = ref Unsafe.AsRef<UserContext>((void*)Kernel.ContextAddress());
        new Personality<KernelMachine>(ref _state, ref _machine, ref live).Handle(reason);
    }
}
