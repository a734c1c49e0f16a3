namespace Exclaves.Abi;

/// <summary>What a call answers when the caller is at fault or out of luck.</summary>
/// <remarks>Zero is success. Values are wire format: append, never renumber.</remarks>
public enum Status : uint
{
    Ok = 0,

    /// <summary>The operation number is unknown here.</summary>
    BadCall = 1,

    /// <summary>A length, index, flag or label is outside what the operation documents.</summary>
    BadArgument = 2,

    /// <summary>An address is unaligned, unmapped, or not the caller's to name.</summary>
    BadAddress = 3,

    /// <summary>The slot is empty, of another kind, or of an older generation.</summary>
    BadCapability = 4,

    /// <summary>The capability lacks the right.</summary>
    Denied = 5,

    /// <summary>The object exists but its state forbids the operation.</summary>
    BadState = 6,

    /// <summary>A table or quota is full.</summary>
    NoMemory = 7,

    /// <summary>No object of that name or number.</summary>
    NotFound = 8,

    /// <summary>The object is in use; the same call may succeed later.</summary>
    Busy = 9,

    /// <summary>The answer does not fit the caller's buffer.</summary>
    TooBig = 10,

    /// <summary>The peer ended before it answered.</summary>
    PeerDied = 11,

    /// <summary>Waiting would close a circle of components that wait for each other.</summary>
    Deadlock = 12,

    /// <summary>A reply failed validation.</summary>
    BadReply = 13,

    /// <summary>The device did not answer as its specification says.</summary>
    DeviceError = 14,

    /// <summary>The peer ended because Linux took back memory that it had given to it.</summary>
    Reclaimed = 15,

    /// <summary>The object for which the caller waited was taken away.</summary>
    Revoked = 16,

    /// <summary>The service failed, for a reason that is none of these; the text of its answer may say more.</summary>
    Failed = 17,

    /// <summary>No answer came before the caller's deadline.</summary>
    TimedOut = 18,

    /// <summary>The caller gave up.</summary>
    Cancelled = 19,

    /// <summary>Another thread ended the wait.</summary>
    Kicked = 20,

    /// <summary>The .NET component cannot start before FrameMint has minted ExclaveKit's text (boot stage 3).</summary>
    NotPopulated = 21,
}
