using System;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>Why a call failed, coarsely: what a program may want to act on.</summary>
public enum TeeFailure
{
    /// <summary>No TEE device: the machine or its drivers offer no secure world.</summary>
    NoDevice,

    /// <summary>There is no TEE device because secure boot refused the machine's image.</summary>
    NotSupported,

    /// <summary>The device is there but this user may not open it.</summary>
    NotPermitted,

    /// <summary>The device is there but does not speak the protocol that this client needs.</summary>
    WrongDevice,

    /// <summary>The secure world has no service of that name.</summary>
    UnknownService,

    /// <summary>The service ended during the call.</summary>
    ServiceEnded,

    /// <summary>The secure world panicked: nothing of it answers until the machine restarts.</summary>
    SecureWorldEnded,

    /// <summary>Memory or a table is used up on one of the sides.</summary>
    NoMemory,

    /// <summary>The kernel refused the request before it reached the secure world.</summary>
    Kernel,

    /// <summary>The secure world or the service refused.</summary>
    Refused,

    /// <summary>The answer came but makes no sense.</summary>
    BadAnswer,
}

/// <summary>A call to the secure world failed. The message is one line: operation, object, reason.</summary>
public sealed class TeeException : Exception
{
    private TeeException(TeeFailure failure, string operation, string target, string reason, TeeResult result)
        : base($"{operation} {target}: {reason}")
    {
        Failure = failure;
        Operation = operation;
        Target = target;
        Reason = reason;
        Result = result;
    }

    public TeeFailure Failure { get; }

    /// <summary>What was tried, for example "open service".</summary>
    public string Operation { get; }

    /// <summary>Device path or service name.</summary>
    public string Target { get; }

    public string Reason { get; }

    /// <summary>The code that came back; success when no call was answered at all.</summary>
    public TeeResult Result { get; }

    internal static TeeException FromResult(string operation, string target, TeeResult result, bool opening)
    {
        TeeFailure failure = result.Code switch
        {
            Tee.ErrorItemNotFound when opening => TeeFailure.UnknownService,
            Tee.ErrorTargetDead or Tee.ErrorMemoryReclaimed => TeeFailure.ServiceEnded,
            Tee.ErrorOutOfMemory => TeeFailure.NoMemory,
            Tee.ErrorCommunication when result.Origin == Tee.OriginComms => TeeFailure.SecureWorldEnded,
            _ => TeeFailure.Refused,
        };
        string reason = failure switch
        {
            TeeFailure.UnknownService => $"the secure world has no such service (0x{result.Code:x8} from {result.Source}): name it in the system description that the image is built from, or compare its UUID there",
            TeeFailure.SecureWorldEnded => $"the secure world has ended: {PanicLog.Read() ?? "no report of a panic"}",
            _ => result.ToString(),
        };
        return new TeeException(failure, operation, target, reason, result);
    }

    internal static TeeException FromErrno(string operation, string target, int errno)
    {
        // Memory that the secure world does not take is an invalid request to the driver.
        if (errno == Libc.ErrorInvalid && PanicLog.Read() is { } panic)
        {
            return new TeeException(TeeFailure.SecureWorldEnded, operation, target, "the secure world has ended: " + panic, default);
        }

        (TeeFailure failure, string reason) = errno switch
        {
            Libc.ErrorNoEntry or Libc.ErrorNoDeviceAddress or Libc.ErrorNoDevice =>
                (TeeFailure.NoDevice, "there is no such device: no secure world, or the optee module is not loaded (modprobe optee); a machine with a secure world: exclave up"),
            Libc.ErrorAccess or Libc.ErrorNotPermitted => (TeeFailure.NotPermitted, "permission denied: this user may not open it; do it as root, or let the device's group have this user"),
            Libc.ErrorNotTty => (TeeFailure.WrongDevice, "it is not a TEE device"),
            Libc.ErrorNoMemory => (TeeFailure.NoMemory, "the kernel has no memory left for it"),
            Libc.ErrorInvalid => (TeeFailure.Kernel, "the kernel refused the request as invalid"),
            _ => (TeeFailure.Kernel, $"the kernel refused it with errno {errno}"),
        };
        return new TeeException(failure, operation, target, reason, default);
    }

    internal static TeeException Because(TeeFailure failure, string operation, string target, string reason) =>
        new(failure, operation, target, reason, default);
}
