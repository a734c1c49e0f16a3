namespace Exclaves.Sptm.Model;

/// <summary>How far a walk came until nothing was new.</summary>
/// <param name="MonitorStates">States of frame table and tables.</param>
/// <param name="Calls">Calls made, the refused ones included.</param>
/// <param name="States">States of the whole machine: tables, step within a call, TLBs.</param>
/// <param name="Transitions">Steps, fetches and evictions between them.</param>
public sealed record WalkResult(int MonitorStates, long Calls, long States, long Transitions)
{
    public override string ToString() => $"{MonitorStates:n0} states of the monitor, {Calls:n0} calls; {States:n0} states of the machine, {Transitions:n0} transitions";
}
