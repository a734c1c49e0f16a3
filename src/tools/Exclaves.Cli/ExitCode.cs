namespace Exclaves.Cli;

/// <summary>Exit statuses of the tool, chosen as other tools that run a command for you choose them.</summary>
public static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;

    /// <summary>The arguments are wrong.</summary>
    public const int Usage = 2;

    /// <summary>A time limit was reached (as `timeout` answers).</summary>
    public const int TimeLimit = 124;

    /// <summary>The machine failed, not the command in it (as `docker run` answers).</summary>
    public const int Machine = 125;

    /// <summary>A program of the build machine is missing (as a shell answers).</summary>
    public const int MissingTool = 127;

    /// <summary>Added to the number of the signal that ended the tool.</summary>
    public const int SignalBase = 128;
}
