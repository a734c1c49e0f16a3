using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Answers to Linux's calls by HVC that need no secure world; which calls there are, <see cref="Dispatch"/> knows.</summary>
public static class LinuxCalls
{
    /// <summary>Version that Linux's driver prints as "revision major.minor (build)".</summary>
    public const ulong Major = 0;
    public const ulong Minor = 1;
    public const ulong Build = 0x0e7c_1a5e;

    private const ulong Capabilities =
        Tee.CapabilityDynamicShm | Tee.CapabilityMemrefNull | Tee.CapabilityRpcArg | Tee.CapabilityAsyncNotification;

    /// <summary>The SVE hint of SMCCC 1.3; says nothing to us.</summary>
    private const uint SveHint = 1u << 16;

    /// <summary>Value 0 is valid, and no other is pending (tee-abi 1.12): the driver makes a DO_BOTTOM_HALF call.</summary>
    public static CallAnswer BottomHalf => CallAnswer.Of(Tee.ReturnOk, 0, 1);

    /// <summary>Function id as the table knows it: low word of x0, without the hint bit.</summary>
    public static XnuFunction FunctionOf(ulong x0) => (XnuFunction)((uint)x0 & ~SveHint);

    /// <summary>The answer to a call whose handling is Fast or Exchange.</summary>
    public static CallAnswer AnswerFast(XnuFunction function) => function switch
    {
        XnuFunction.CallsUid => CallAnswer.Of(0x384f_b3e0, 0xe7f8_11e3, 0xaf63_0002, 0xa5d5_c51b),
        XnuFunction.CallsRevision => CallAnswer.Of(2, 0),
        XnuFunction.GetOsUuid => CallAnswer.Of(0x1f6d_27a4, 0x914b_4c52, 0x6a3e_02b8, 0x7be5_90d1),
        XnuFunction.GetOsRevision => CallAnswer.Of(Major, Minor, Build),
        XnuFunction.DisableShmCache => CallAnswer.Of(Tee.ReturnNotAvailable),
        XnuFunction.ExchangeCapabilities => CallAnswer.Of(Tee.ReturnOk, Capabilities, Tee.NotificationKeys, Tee.RpcParameters),

        // All zero: no value is valid, none is pending.
        XnuFunction.EnableAsyncNotification => CallAnswer.Of(Tee.ReturnOk),
        XnuFunction.GetAsyncNotificationValue => BottomHalf,
        _ => CallAnswer.Of(Tee.ReturnUnknown),
    };
}
