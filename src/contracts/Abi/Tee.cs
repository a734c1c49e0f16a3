namespace Exclaves.Abi;

/// <summary>Numbers of Linux's `optee` driver (Documentation: tee-abi): function ids, return codes, message attributes.</summary>
public static class Tee
{
    public const uint CallsUid = (uint)XnuFunction.CallsUid;
    public const uint CallsRevision = (uint)XnuFunction.CallsRevision;
    public const uint GetOsUuid = (uint)XnuFunction.GetOsUuid;
    public const uint GetOsRevision = (uint)XnuFunction.GetOsRevision;
    public const uint ReturnFromRpc = (uint)XnuFunction.ReturnFromRpc;
    public const uint CallWithArg = 0x3200_0004;
    public const uint ExchangeCapabilities = (uint)XnuFunction.ExchangeCapabilities;
    public const uint DisableShmCache = (uint)XnuFunction.DisableShmCache;
    public const uint EnableShmCache = 0xB200_000B;
    public const uint GetThreadCount = 0xB200_000F;
    public const uint CallWithRpcArg = (uint)XnuFunction.CallWithRpcArg;
    public const uint CallWithRegdArg = (uint)XnuFunction.CallWithRegdArg;

    /// <summary>Keys of notifications are below this. Not a multiple of 64: Linux writes past its bitmap there (tee-abi 1.15, N2).</summary>
    public const ulong NotificationKeys = 127;

    /// <summary>Ours, a fast call: x1 = <see cref="SptmCounter"/>; answers 0 and the value in x1.</summary>
    public const uint ExclavesCounter = (uint)XnuFunction.ExclavesCounter;

    public const ulong ReturnOk = 0;
    public const ulong ReturnThreadLimit = 1;
    public const ulong ReturnBusy = 2;
    public const ulong ReturnResume = 3;
    public const ulong ReturnBadAddress = 4;
    public const ulong ReturnBadCommand = 5;
    public const ulong ReturnNoMemory = 6;
    public const ulong ReturnNotAvailable = 7;
    public const ulong ReturnUnknown = 0xFFFF_FFFF;
    /// <summary>Ours: the secure world panicked and has ended. The driver makes COMMUNICATION of it, which nothing else here causes.</summary>
    public const ulong ReturnEnded = 0x4558_0002;

    public const ulong RpcFree = 0xFFFF_0002;
    public const ulong RpcForeignInterrupt = 0xFFFF_0004;
    public const ulong RpcCommand = 0xFFFF_0005;

    /// <summary>
    /// Ours, a command for Linux's supplicant that is never served: the thread that panicked waits in it, where a signal still ends it (tee-abi 1.11).
    /// </summary>
    public const uint RpcPanicWait = 0x4558_0001;

    public const ulong CapabilityDynamicShm = 1 << 2;
    public const ulong CapabilityMemrefNull = 1 << 4;
    public const ulong CapabilityAsyncNotification = 1 << 5;
    public const ulong CapabilityRpcArg = 1 << 6;

    /// <summary>Parameters of an RPC argument that we ask Linux to reserve room for.</summary>
    public const uint RpcParameters = 4;

    public const uint Success = 0;
    public const uint ErrorGeneric = 0xFFFF_0000;
    public const uint ErrorAccessDenied = 0xFFFF_0001;
    public const uint ErrorCancel = 0xFFFF_0002;
    public const uint ErrorAccessConflict = 0xFFFF_0003;
    public const uint ErrorBadFormat = 0xFFFF_0005;
    public const uint ErrorBadParameters = 0xFFFF_0006;
    public const uint ErrorBadState = 0xFFFF_0007;
    public const uint ErrorItemNotFound = 0xFFFF_0008;
    public const uint ErrorNotImplemented = 0xFFFF_0009;
    public const uint ErrorNotSupported = 0xFFFF_000A;
    public const uint ErrorOutOfMemory = 0xFFFF_000C;
    public const uint ErrorBusy = 0xFFFF_000D;
    public const uint ErrorCommunication = 0xFFFF_000E;
    public const uint ErrorSecurity = 0xFFFF_000F;
    public const uint ErrorShortBuffer = 0xFFFF_0010;

    /// <summary>A signal ended the call while its service waited; what the service has done by then stays done.</summary>
    public const uint ErrorExternalCancel = 0xFFFF_0011;
    public const uint ErrorTargetDead = 0xFFFF_3024;

    /// <summary>Ours, from GlobalPlatform's range for implementations: the service ended because Linux took its memory back.</summary>
    public const uint ErrorMemoryReclaimed = 0x8000_0001;

    public const uint OriginApi = 1;
    public const uint OriginComms = 2;
    public const uint OriginTee = 3;
    public const uint OriginTrustedApplication = 4;
}
