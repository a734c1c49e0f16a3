using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>The probe's capabilities, by slot.</summary>
internal static class Capabilities
{
    /// <summary>Granted by probe.json.</summary>
    public const uint Echo = 2;
    public const uint Untyped = 3;
    public const uint Hello = 5;

    /// <summary>To whoever serves Listen, and back.</summary>
    public const uint There = 40;
    public const uint Back = There + 1;
    public const uint SignalThere = 42;
    public const uint EndListening = 43;
    public const uint SignalBack = 44;
    public const uint Frame = 45;

    /// <summary>Memory for objects that come and go, and a slot for them.</summary>
    public const uint Spare = 46;
    public const uint Passing = 47;

    /// <summary>What is derived from and revoked all the time; slots up to 90 are for that.</summary>
    public const uint StormRoot = 49;

    /// <summary>Bits of <see cref="There"/>.</summary>
    public const ulong GoOn = 1;
    public const ulong Stop = 2;

    private const uint SpareLog2 = 15;

    public static Status Make()
    {
        Status status = SecureCalls.Retype(Untyped, ObjectKind.Notification, 0, There, 2);
        status = status == Status.Ok ? SecureCalls.Derive(SignalThere, There, CapabilityRights.Send, GoOn) : status;
        status = status == Status.Ok ? SecureCalls.Derive(EndListening, There, CapabilityRights.Send, Stop) : status;
        status = status == Status.Ok ? SecureCalls.Derive(SignalBack, Back, CapabilityRights.Send, GoOn) : status;
        status = status == Status.Ok ? SecureCalls.Retype(Untyped, ObjectKind.Frame, 0, Frame, 1) : status;
        status = status == Status.Ok ? SecureCalls.Retype(Untyped, ObjectKind.Endpoint, 0, StormRoot, 1) : status;
        status = status == Status.Ok ? SecureCalls.Retype(Untyped, ObjectKind.Untyped, SpareLog2, Spare, 1) : status;

        // A page that stays, so that the tables above the passing ones do too.
        return status == Status.Ok ? SecureCalls.MapMemory(UserLayout.PrivateBase, 1, MemoryAccess.Read | MemoryAccess.Write) : status;
    }
}
