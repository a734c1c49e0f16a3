using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What SPTM does with a hypervisor call of Linux.</summary>
public enum LinuxCallKind : byte
{
    /// <summary>Not on the list: "unknown function".</summary>
    Unknown = 0,

    /// <summary>Answered at once, with no lock: it may come from Linux's interrupt handlers.</summary>
    Fast = 1,

    /// <summary>Fast, and tells that a driver starts afresh.</summary>
    Exchange = 2,

    /// <summary>Fast, asks for a counter.</summary>
    Counter = 3,

    /// <summary>Enters SK.</summary>
    Yielding = 4,

    /// <summary>Enters SK and names a private argument page.</summary>
    YieldingWithPage = 5,
}

/// <summary>The allow-list of calls by HVC (tee-abi 1.3) and the answers that need no secure world.</summary>
public static class LinuxCalls
{
    /// <summary>Version that Linux's driver prints as "revision major.minor (build)".</summary>
    public const ulong Major = 0;
    public const ulong Minor = 1;
    public const ulong Build = 0x0e7c_1a5e;

    private const ulong Capabilities = Tee.CapabilityDynamicShm | Tee.CapabilityMemrefNull | Tee.CapabilityRpcArg;

    /// <summary>The SVE hint of SMCCC 1.3; says nothing to us.</summary>
    private const uint SveHint = 1u << 16;

    /// <summary>Function id as the table knows it: low word of x0, without the hint bit.</summary>
    public static uint FunctionId(ulong x0) => (uint)x0 & ~SveHint;

    public static LinuxCallKind Decode(uint function) => function switch
    {
        Tee.CallsUid or Tee.CallsRevision or Tee.GetOsUuid or Tee.GetOsRevision or Tee.DisableShmCache => LinuxCallKind.Fast,
        Tee.ExchangeCapabilities => LinuxCallKind.Exchange,
        Tee.ExclavesCounter => LinuxCallKind.Counter,
        Tee.ReturnFromRpc or Tee.CallWithRegdArg => LinuxCallKind.Yielding,
        Tee.CallWithRpcArg => LinuxCallKind.YieldingWithPage,
        _ => LinuxCallKind.Unknown,
    };

    /// <summary>The answer to a call that <see cref="Decode"/> named Fast or Exchange.</summary>
    public static CallAnswer AnswerFast(uint function) => function switch
    {
        Tee.CallsUid => CallAnswer.Of(0x384f_b3e0, 0xe7f8_11e3, 0xaf63_0002, 0xa5d5_c51b),
        Tee.CallsRevision => CallAnswer.Of(2, 0),
        Tee.GetOsUuid => CallAnswer.Of(0x1f6d_27a4, 0x914b_4c52, 0x6a3e_02b8, 0x7be5_90d1),
        Tee.GetOsRevision => CallAnswer.Of(Major, Minor, Build),
        Tee.DisableShmCache => CallAnswer.Of(Tee.ReturnNotAvailable),
        Tee.ExchangeCapabilities => CallAnswer.Of(Tee.ReturnOk, Capabilities, 0, Tee.RpcParameters),
        _ => CallAnswer.Of(Tee.ReturnUnknown),
    };
}
