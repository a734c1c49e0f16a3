using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Devices of Linux behind the SMMU and its window: what they are for works, and machines on which one gets around it do not boot.</summary>
public class DeviceTests
{
    private const int Mebibyte = 1 << 20;

    /// <summary>Prints how many transactions the SMMU has refused: a device that only does its work causes none.</summary>
    private const string Refused = "insmod /lib/modules/exclave_attack.ko && exclave-attack counter RefusedDma";

    [Fact]
    public async Task TheDiskHoldsWhatWasWritten()
    {
        string path = Path.GetTempFileName();
        try
        {
            byte[] content = RandomNumberGenerator.GetBytes(16 * Mebibyte);
            File.WriteAllBytes(path, content);
            string said = await Guest.Require(
                Guest.Usual with { Disk = path, HasDiskDriver = true },
                "sha256sum < /dev/vda && head -c 4194304 /dev/urandom > /tmp/new && dd if=/tmp/new of=/dev/vda bs=1M seek=8 conv=fsync 2> /dev/null && "
                + "sha256sum < /tmp/new && " + Refused);
            string[] lines = said.Split('\n');
            byte[] now = File.ReadAllBytes(path);
            Assert.StartsWith(Digest(content), lines[0]);
            Assert.StartsWith(Digest(now.AsSpan(8 * Mebibyte, 4 * Mebibyte)), lines[1]);
            Assert.Equal(content[..(8 * Mebibyte)], now[..(8 * Mebibyte)]);
            Assert.Equal(content[(12 * Mebibyte)..], now[(12 * Mebibyte)..]);
            Assert.Equal("0", lines[2]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task TheNetworkCarriesWhatWasSent()
    {
        byte[] content = RandomNumberGenerator.GetBytes(8 * Mebibyte);
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;

        // One card after the other: each receives all of it and sends it back.
        Task<byte[][]> server = Task.Run(async () => new[] { await Exchange(listener, content), await Exchange(listener, content) });
        string said = await Guest.Require(
            Guest.Usual with { NetworkCards = ["virtio-net-pci", "e1000"] },
            $"for host in 10.0.2.2 10.0.3.2; do nc $host {port} < /dev/null > /tmp/in && sha256sum < /tmp/in && nc $host {port} < /tmp/in || exit; done; " + Refused);
        byte[][] sent = await server;
        string[] lines = said.Split('\n');
        Assert.StartsWith(Digest(content), lines[0]);
        Assert.StartsWith(Digest(content), lines[1]);
        Assert.Equal("0", lines[2]);
        Assert.All(sent, one => Assert.Equal(content, one));
    }

    [Theory]
    [InlineData("virtio-balloon-pci,disable-legacy=on,iommu_platform=on", "a virtio balloon, memory or iommu device takes memory past the SMMU")]
    [InlineData("virtio-rng-pci,rng=rng0,disable-legacy=on", "a virtio device goes past the SMMU: set iommu_platform=on")]
    [InlineData("virtio-rng-pci,rng=rng0", "a virtio device with the legacy interface goes past the SMMU")]
    [InlineData("virtio-serial-device,bus=virtio-mmio-bus.9", "a virtio-mmio device other than the entropy source")]
    public async Task AMachineWithADeviceThatGetsAroundTheSmmuDoesNotBoot(string device, string rule)
    {
        GuestResult result = await Guest.Run(Guest.Usual with { Devices = [device] }, "true");
        Assert.StartsWith("SPTM does not boot this machine: " + rule, result.Outcome.Failure);
        Assert.DoesNotContain("Booting Linux", result.Console);
    }

    [Fact]
    public async Task TheSameDeviceBehindTheSmmuBoots() =>
        await Guest.Require(Guest.Usual with { Devices = ["virtio-rng-pci,rng=rng0,disable-legacy=on,iommu_platform=on"] }, "true");

    /// <summary>A device that gives 128 bytes each 50 ms: its driver sleeps in the secure world until Linux brings the interrupt, beside those that SK asks for itself.</summary>
    [Fact]
    public async Task ASecureDeviceInterruptsItsDriver()
    {
        MachineSpec slow = Guest.Usual with { Properties = ["virtio-rng-device.max-bytes=128", "virtio-rng-device.period=50"] };
        string said = await Guest.Require(
            slow, "exclave-sign sign /init --signature /tmp/s --public /tmp/p && exclave-guest stats && awk '/optee_notification/ { print \"came\", $2 + $3 }' /proc/interrupts");
        Assert.True(Number(said, @"came (\d+)") > Number(said, @"sptm\.Notification +(\d+)"), said);
        Assert.NotEqual(0, Number(said, @"sk\.Interrupts +(\d+)"));
    }

    private static int Number(string text, string pattern) => int.Parse(Regex.Match(text, pattern).Groups[1].Value, CultureInfo.InvariantCulture);

    private static string Digest(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content)) + " ";

    private static async Task<byte[]> Exchange(TcpListener listener, byte[] content)
    {
        using (TcpClient reader = await listener.AcceptTcpClientAsync())
        {
            await reader.GetStream().WriteAsync(content);
        }

        using TcpClient writer = await listener.AcceptTcpClientAsync();
        using MemoryStream received = new();
        await writer.GetStream().CopyToAsync(received);
        return received.ToArray();
    }
}
