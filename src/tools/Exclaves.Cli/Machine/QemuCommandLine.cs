using System;
using System.Collections.Generic;
using System.Globalization;
using Exclaves.Cli.Image;

namespace Exclaves.Cli.Machine;

/// <summary>The one place that knows how QEMU is called.</summary>
/// <remarks>
/// Never balloon, -mem or -pmem devices: they discard memory past any IOMMU. The secure world owns virtio-mmio slot 0
/// (random numbers); Linux's own devices are on PCI.
/// </remarks>
public static class QemuCommandLine
{
    public const string Program = "qemu-system-aarch64";

    public const string OutputPort = "exclave.stdout";
    public const string ErrorPort = "exclave.stderr";

    /// <summary>Of every virtio device on PCI: without it the device reads and writes memory past the SMMU, and SPTM refuses to boot.</summary>
    private const string BehindSmmu = "disable-legacy=on,iommu_platform=on";

    /// <summary>Console on QEMU's own streams; the command's streams on unix sockets that the caller listens on.</summary>
    public static IReadOnlyList<string> ForRun(MachineSpec spec, string image, string outputSocket, string errorSocket) =>
    [
        .. Machine(spec, image),
        "-chardev", "stdio,id=console,signal=off",
        "-serial", "chardev:console",
        "-monitor", "none",
        "-device", "virtio-serial-pci," + BehindSmmu,
        .. Port("output", OutputPort, outputSocket),
        .. Port("errors", ErrorPort, errorSocket),
    ];

    /// <summary>Console and QEMU's monitor share the terminal: ctrl-A x ends the machine, ctrl-C goes to the guest.</summary>
    public static IReadOnlyList<string> ForTerminal(MachineSpec spec, string image, string log) =>
    [
        .. Machine(spec, image),
        "-chardev", $"stdio,id=console,mux=on,signal=off,logfile={Escape(log)}",
        "-serial", "chardev:console",
        "-mon", "chardev=console",
        "-device", "virtio-serial-pci," + BehindSmmu,
    ];

    private static IEnumerable<string> Machine(MachineSpec spec, string image)
    {
        string randomness = spec.CountsInstructions ? ",dtb-randomness=off" : "";
        List<string> arguments =
        [
            "-machine", $"virt,gic-version=3,its={(spec.HasInterruptTranslation ? "on" : "off")}{(spec.HasMonitor ? ",virtualization=on,iommu=smmuv3" : "")}" + randomness,
            "-cpu", spec.Cpu,
            "-accel", spec.CountsInstructions ? "tcg" : "tcg,thread=multi",
            "-m", spec.MemoryMib.ToString(CultureInfo.InvariantCulture),
            "-smp", spec.Cpus.ToString(CultureInfo.InvariantCulture),
            "-display", "none",
            "-nodefaults",
            "-no-reboot",
            .. Network(spec.NetworkCards),
            "-global", "virtio-mmio.force-legacy=false",
            "-object", "rng-random,filename=/dev/urandom,id=rng0",
            "-device", "virtio-rng-device,rng=rng0,bus=virtio-mmio-bus.0",
            "-kernel", image,
        ];
        if (!spec.HasMonitor)
        {
            arguments.AddRange(["-initrd", SystemImage.InitramfsBeside(image), "-append", SystemImage.Arguments(spec)]);
        }

        if (spec.CountsInstructions)
        {
            arguments.AddRange(["-icount", "shift=0,sleep=off"]);
        }

        if (spec.DebugSocket != null)
        {
            arguments.AddRange(["-gdb", $"unix:{Escape(spec.DebugSocket)},server=on,wait=off", "-S"]);
        }

        if (spec.Share != null)
        {
            arguments.AddRange(["-fsdev", $"local,id=share0,path={Escape(spec.Share)},security_model=none"]);
            arguments.AddRange(["-device", "virtio-9p-pci,fsdev=share0,mount_tag=share," + BehindSmmu]);
        }

        if (spec.Disk != null)
        {
            arguments.AddRange(["-drive", $"file={Escape(spec.Disk)},if=none,id=disk0,format=raw"]);
            arguments.AddRange(["-device", "virtio-blk-pci,drive=disk0," + BehindSmmu]);
        }

        foreach (string property in spec.Properties)
        {
            arguments.AddRange(["-global", property]);
        }

        foreach (string device in spec.Devices)
        {
            arguments.AddRange(["-device", device]);
        }

        return arguments;
    }

    /// <summary>Without cards no network; boot ROMs of cards are for firmware that this machine does not have.</summary>
    private static IEnumerable<string> Network(IReadOnlyList<string> cards)
    {
        if (cards.Count == 0)
        {
            return ["-nic", "none"];
        }

        List<string> arguments = [];
        for (int i = 0; i < cards.Count; i++)
        {
            string behind = cards[i].StartsWith("virtio", StringComparison.Ordinal) ? "," + BehindSmmu : "";
            arguments.AddRange(["-netdev", $"user,id=net{i},net=10.0.{2 + i}.0/24"]);
            arguments.AddRange(["-device", $"{cards[i]},netdev=net{i},mac=52:54:00:00:00:{i:x2},romfile={behind}"]);
        }

        return arguments;
    }

    private static IEnumerable<string> Port(string id, string name, string socket) =>
    [
        "-chardev", $"socket,id={id},path={Escape(socket)}",
        "-device", $"virtserialport,chardev={id},name={name}",
    ];

    /// <summary>QEMU's option parser takes a doubled comma for a comma.</summary>
    private static string Escape(string value) => value.Replace(",", ",,", StringComparison.Ordinal);
}
