using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What Linux's calls get after a panic of the secure world: they wait for the report, then learn that all is over (I12).</summary>
/// <remarks>
/// Nobody waits at EL2. A call that is to wait leaves as if an interrupt had come, so that Linux schedules others and comes back with what
/// it takes for the call's token; the answer needs no state of the call, so no call can be forgotten.
/// </remarks>
public static class PanicGate
{
    /// <summary>A report that takes longer (a console that stands still) is not waited for.</summary>
    public const ulong HoldSeconds = 1;

    /// <summary>x0 of a yielding call that cannot enter, or was inside.</summary>
    /// <param name="since">Counter at the panic; 0: there was none.</param>
    /// <param name="now">Counter.</param>
    /// <param name="frequency">Of the counter, in Hz.</param>
    public static ulong Answer(SecureWorldState state, ulong since, ulong now, ulong frequency) =>
        since == 0 ? Tee.ReturnUnknown
        : state == SecureWorldState.Reporting && now - since < HoldSeconds * frequency ? Tee.RpcForeignInterrupt
        : Tee.ReturnEnded;
}
