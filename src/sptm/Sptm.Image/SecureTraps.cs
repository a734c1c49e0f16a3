using Exclaves.Abi;

namespace Exclaves.Sptm.Image;

/// <summary>Instructions of the secure world that EL2 traps and SK can be told of.</summary>
public static unsafe class SecureTraps
{
    /// <summary>Turns the trap into an exception of EL1. False: it is SK's contract that was broken.</summary>
    public static bool TryReflect(PerCpu* cpu, Syndrome syndrome)
    {
        ref TrapFrame frame = ref cpu->Secure;
        if (Identification.TryEmulate(cpu, ref frame, syndrome))
        {
            return true;
        }

        SecureTrapAction action = SecureTrapPolicy.Decide(syndrome.Class);
        if (action == SecureTrapAction.Fatal)
        {
            return false;
        }

        Monitor.Count(cpu, SptmCounter.SecureTrap);
        Traps.Apply(ref frame, action == SecureTrapAction.Breakpoint
            ? AbortPolicy.InjectBreakpoint(syndrome, frame.ProgramCounter, frame.ProcessorState, El2.ReadVbarEl1(), El2.ReadSctlrEl1())
            : AbortPolicy.InjectUndefined(frame.ProgramCounter, frame.ProcessorState, El2.ReadVbarEl1(), El2.ReadSctlrEl1()));
        return true;
    }
}
