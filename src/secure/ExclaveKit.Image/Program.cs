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
        new Personality<KernelMachine>(ref _state, ref _machine, KitState.MainThread).Start(in *info);
        Unsafe.AsRef<UserContext>((void*)Kernel.InitialAddress()) = _machine.Context(KitState.MainThread);
    }

    /// <summary>A thread is in the handler, with its registers in <paramref name="context"/>, which it goes on with.</summary>
    [RuntimeExport("kit_handle")]
    private static void Handle(ReflectReason reason, ulong context)
    {
        int thread = _machine.ThreadOf(context);
        Personality<KernelMachine> personality = new(ref _state, ref _machine, thread);
        _state.Lock.Acquire(ref _machine, thread);
        personality.Handle(reason);
        while (!personality.IsReady)
        {
            bool isGone = personality.IsGone;
            _state.Lock.Release(ref _machine);
            if (isGone) { _machine.ExitThread(); }

            Status status = personality.Await();
            _state.Lock.Acquire(ref _machine, thread);
            personality.EndAwait(status);
        }

        _state.Lock.Release(ref _machine);
    }
}
