namespace Exclaves.Abi;

/// <summary>What a component says with <see cref="SecureCall.Exit"/>; reports have it in words. Other values are a program's own.</summary>
public static class ExitCode
{
    /// <summary>The entry point returned.</summary>
    public const ulong Returned = 1;

    /// <summary>Plus the number of the signal that ended a Linux program.</summary>
    public const ulong Signal = 128;
    public const ulong LastSignal = Signal + 64;

    /// <summary>Plus a FailCode: a check of the language failed.</summary>
    public const ulong FirstCheck = 0x100;
    public const ulong LastCheck = 0x1FF;

    /// <summary>Memory that it was declared to have was asked for and is not there.</summary>
    public const ulong QuotaExhausted = 0x200;

    /// <summary>No room on its stack for what had to go there.</summary>
    public const ulong StackOverflow = 0x201;
}
