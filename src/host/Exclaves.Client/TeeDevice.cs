using System;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>An open TEE device: the way into the secure world. Sessions and memory hang on it.</summary>
public sealed class TeeDevice : IDisposable
{
    public const string DefaultPath = "/dev/tee0";

    private int _descriptor;

    private TeeDevice(int descriptor, string path)
    {
        _descriptor = descriptor;
        Path = path;
    }

    public string Path { get; }

    internal int Descriptor => _descriptor >= 0 ? _descriptor : throw new ObjectDisposedException(nameof(TeeDevice));

    /// <summary>Opens the device and checks that what answers is an OP-TEE style secure world with shared memory.</summary>
    public static TeeDevice Open(string path = DefaultPath)
    {
        int descriptor = Libc.Open(path, Libc.ReadWrite | Libc.CloseOnExec);
        if (descriptor < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            TeeException error = TeeException.FromErrno("open", path, errno);
            throw error.Failure == TeeFailure.NoDevice && SecureWorldStatus.Read() is { Status: ExclavesStatus.NotSupported } status
                ? TeeException.Because(TeeFailure.NotSupported, "open", path, $"there is no secure world, since secure boot refused the image: {status.Reason}")
                : error;
        }

        TeeDevice device = new(descriptor, path);
        if (TeeIoctl.Version(descriptor, out TeeVersion version) < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            device.Dispose();
            throw TeeException.FromErrno("ask the version of", path, errno);
        }

        if (version.Implementation != TeeVersion.OpTee || (version.Capabilities & TeeVersion.RegisteredMemory) == 0)
        {
            device.Dispose();
            throw TeeException.Because(
                TeeFailure.WrongDevice,
                "open",
                path,
                $"implementation {version.Implementation} with capabilities 0x{version.Capabilities:x} is not one this client can use");
        }

        return device;
    }

    /// <summary>Opens a session with login "public": the secure world decides by the service alone.</summary>
    public TeeSession OpenSession(ServiceName service) => TeeSession.Open(this, service);

    /// <summary>As <see cref="OpenSession"/>, but a refusal is a value.</summary>
    public TeeResult TryOpenSession(ServiceName service, out TeeSession? session) => TeeSession.TryOpen(this, service, out session);

    public void Dispose()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = Libc.Close(descriptor); // nothing can be done about an error of close
        }
    }
}
