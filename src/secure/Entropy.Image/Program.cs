using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.Entropy.Image;

/// <summary>Serves <see cref="MessageLabel.Random"/>. Without a device it stays, and answers DeviceError to everyone.</summary>
internal static class Program
{
    private static RandomDevice<MappedDevice> _device;

    [RuntimeExport("component_main")]
    public static void Main(ulong startInfo)
    {
        Status status = MappedDevice.Map();
        status = status == Status.Ok ? _device.Initialize() : status;
        bool isReady = status == Status.Ok;
        if (isReady)
        {
            MappedDevice.BindInterrupt();
        }

        _ = SecureCalls.Log(isReady ? "virtio-rng ready"u8 : "no usable virtio-rng"u8);
        Log.Write(isReady ? LogSeverity.Information : LogSeverity.Error, isReady ? "virtio-rng ready"u8 : "no usable virtio-rng"u8);

        status = SecureCalls.Receive();
        while (true)
        {
            if (status == Status.Ok)
            {
                Serve();
            }

            status = SecureCalls.ReplyReceive();
        }
    }

    private static void Serve()
    {
        ref MessageHeader header = ref IpcPage.Only.Header;
        ulong wanted = header.Word0;
        if (header.Label != MessageLabel.Random)
        {
            IpcPage.Only.SetReply(Status.BadCall, 0);
            return;
        }

        if (wanted is 0 or > MessageHeader.MaxBodyBytes)
        {
            IpcPage.Only.SetReply(Status.BadArgument, 0);
            return;
        }

        Status status = _device.Fill(IpcPage.Only.Body[..(int)wanted]);
        IpcPage.Only.SetReply(status, status == Status.Ok ? (uint)wanted : 0);
    }
}
