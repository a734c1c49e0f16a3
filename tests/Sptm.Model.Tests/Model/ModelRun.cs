namespace Exclaves.Sptm.Model;

/// <summary>The whole model, once.</summary>
public static class ModelRun
{
    /// <summary>More tables than any state takes, the reserve of a retype included.</summary>
    public const int AmplePool = 12;

    /// <param name="poolPages">Pages for tables. With few, calls end for lack of memory.</param>
    /// <param name="fault">Name of a <see cref="MachineFault"/>.</param>
    /// <exception cref="ModelViolation">A state that must not be, and the calls that lead to it.</exception>
    public static WalkResult Run(int poolPages, string fault)
    {
        ModelMachine.Fault = System.Enum.Parse<MachineFault>(fault);
        MonitorWalk monitor = MonitorWalk.Run(poolPages);
        MachineWalk machine = MachineWalk.Run(monitor.Start);
        return new WalkResult(monitor.StateCount, monitor.CallCount, machine.StateCount, machine.TransitionCount);
    }
}
