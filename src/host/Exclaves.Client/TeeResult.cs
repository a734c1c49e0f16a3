using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>What a call answered: GlobalPlatform result code and who gave it.</summary>
public readonly struct TeeResult
{
    public TeeResult(uint code, uint origin)
    {
        Code = code;
        Origin = origin;
    }

    public uint Code { get; }

    public uint Origin { get; }

    public bool Succeeded => Code == Tee.Success;

    /// <summary>What callers of a Tightbeam interface hear of a call that has no answer.</summary>
    public Status Status => Code switch
    {
        Tee.Success => Status.Ok,
        Tee.ErrorTargetDead => Status.PeerDied,
        Tee.ErrorMemoryReclaimed => Status.Reclaimed,
        Tee.ErrorCommunication => Status.PeerDied,
        Tee.ErrorOutOfMemory => Status.NoMemory,
        Tee.ErrorAccessDenied => Status.Denied,
        Tee.ErrorNotSupported or Tee.ErrorNotImplemented => Status.BadCall,
        Tee.ErrorShortBuffer => Status.TooBig,
        Tee.ErrorBadParameters or Tee.ErrorBadFormat => Status.BadArgument,
        Tee.ErrorBadState => Status.BadState,
        Tee.ErrorItemNotFound => Status.NotFound,
        Tee.ErrorBusy => Status.Busy,
        _ => Status.Failed,
    };

    /// <summary>The code in words, without the number.</summary>
    public string Reason => Code switch
    {
        Tee.Success => "success",
        Tee.ErrorGeneric => "it failed without a more precise reason",
        Tee.ErrorAccessDenied => "access denied",
        Tee.ErrorCancel => "cancelled",
        Tee.ErrorAccessConflict => "conflicting access",
        Tee.ErrorBadFormat => "bad format",
        Tee.ErrorBadParameters => "bad parameters",
        Tee.ErrorBadState => "the service is not in a state that allows it",
        Tee.ErrorItemNotFound => "no such item",
        Tee.ErrorNotImplemented => "no such operation",
        Tee.ErrorNotSupported => "not supported",
        0xFFFF_000B => "no data",
        Tee.ErrorOutOfMemory => "out of memory",
        Tee.ErrorBusy => "busy",
        Tee.ErrorCommunication => "communication with the secure world failed",
        Tee.ErrorSecurity => "a security check failed",
        Tee.ErrorShortBuffer => "the buffer is too small for the answer",
        Tee.ErrorExternalCancel => "a signal ended the call while its service waited",
        Tee.ErrorTargetDead => "the service ended while it worked on the call",
        Tee.ErrorMemoryReclaimed => "the service ended because Linux took back memory that it had given to it",
        0xFFFF_3041 => "no storage space left",
        0xFFFF_3071 => "wrong authentication code",
        _ => "unknown reason",
    };

    /// <summary>Who gave the code, in words.</summary>
    public string Source => Origin switch
    {
        Tee.OriginApi => "the client",
        Tee.OriginComms => "Linux's driver",
        Tee.OriginTee => "the secure world",
        Tee.OriginTrustedApplication => "the service",
        _ => "nobody known",
    };

    public override string ToString() => Succeeded ? Reason : $"{Reason} (0x{Code:x8} from {Source})";
}
