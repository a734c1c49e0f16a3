namespace Exclaves.ExclaveKit;

/// <summary>Linux's error numbers, as far as a conclave can see them.</summary>
public enum Errno : uint
{
    None = 0,
    NotPermitted = 1,
    NoEntry = 2,
    NoProcess = 3,
    Interrupted = 4,
    BadFile = 9,
    TryAgain = 11,
    NoMemory = 12,
    AccessDenied = 13,
    BadAddress = 14,
    Busy = 16,
    Exists = 17,
    NoDevice = 19,
    InvalidArgument = 22,
    TooManyFiles = 24,
    NotTerminal = 25,
    IllegalSeek = 29,
    ReadOnly = 30,
    BrokenPipe = 32,
    NameTooLong = 36,
    NoSystemCall = 38,
    InputOutput = 5,
    MessageSize = 90,
    NoAddressFamily = 97,
    TimedOut = 110,
}

/// <summary>The value of x0 after a Linux call.</summary>
public static class Result
{
    public const ulong Ok = 0;

    public static ulong Of(Errno error) => unchecked((ulong)-(long)error);

    /// <summary>Results -4095..-1 are errors, as the C library reads them.</summary>
    public static bool IsError(ulong result) => result >= unchecked((ulong)-4095L);
}
