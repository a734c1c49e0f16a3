using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>What kit.S calls.</summary>
internal static unsafe class Program
{
    private static KitState s_state;
    private static KernelMachine s_machine;

    // SAFETY: kit.S reserves the page; SK writes it before each entry, and reads it when we are done.
    private static ref UserContext Live => ref Unsafe.AsRef<UserContext>((void*)Kernel.ContextAddress());

    /// <summary>Prepares the program's first context. The handler's stack is the one we are on: nothing of it is needed later.</summary>
    [RuntimeExport("kit_start")]
    private static void Start(StartInfo* info)
    {
        Personality<KernelMachine> personality = new(ref s_state, ref s_machine, ref Live);

        // SAFETY: SK maps the page read only for the life of the component.
        personality.Start(in *info);
        Kernel.Call(SecureCall.SetPersonality, Kernel.HandlerAddress(), UserLayout.StackTop, Kernel.ContextAddress());
    }

    [RuntimeExport("kit_handle")]
    private static void Handle(ReflectReason reason, UserContext* context)
    {
        _ = context;
        new Personality<KernelMachine>(ref s_state, ref s_machine, ref Live).Handle(reason);
    }
}
