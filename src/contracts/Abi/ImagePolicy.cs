namespace Exclaves.Abi;

/// <summary>What the whole machine does at certain moments, as the system description says. Signed with the image's header.</summary>
[System.Flags]
public enum ImagePolicy : uint
{
    None = 0,

    /// <summary>A panic of SK or of a core component stops the machine, as the original does (I12). Without it Linux goes on.</summary>
    StopOnPanic = 1,
}
