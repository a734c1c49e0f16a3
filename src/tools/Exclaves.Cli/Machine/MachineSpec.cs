using System.Collections.Generic;
using Exclaves.Abi;
using Exclaves.Cli.Image;

namespace Exclaves.Cli.Machine;

/// <summary>What a person can choose about the machine.</summary>
public sealed record MachineSpec
{
    public const int MaxCpus = 4;
    public const int DefaultCpus = 2;

    /// <summary>No SVE, pointer authentication, memory tags or counters: nothing of it has to be hidden from Linux.</summary>
    public const string DefaultCpu = "neoverse-n1,pmu=off";

    public const int DefaultMemoryMib = 2048;
    public const int MinMemoryMib = 1024;
    public const int MaxMemoryMib = 65536;

    /// <summary>All that keeps Linux's own instructions from the secure world's memory and devices, and a changed image from starting.</summary>
    public static readonly IReadOnlyList<Defence> MemoryDefences = [Defence.SecureFrames, Defence.SecureDevices, Defence.LpiTables, Defence.VerifiedImage, Defence.DmaWindow];

    public int Cpus { get; init; } = DefaultCpus;

    public int MemoryMib { get; init; } = DefaultMemoryMib;

    /// <summary>Folder of the build machine that the guest sees at /share.</summary>
    public string? Share { get; init; }

    /// <summary>More arguments for the guest's kernel.</summary>
    public string Append { get; init; } = "";

    public ImageVariant Variant { get; init; }

    /// <summary>False: QEMU boots Debian's kernel itself, at EL1, and nothing of ours but the initramfs is there.</summary>
    public bool HasMonitor { get; init; } = true;

    /// <summary>Private key that makes a production image; null: the developer's key signs, and the image is a debug one.</summary>
    public string? ProductionKey { get; init; }

    /// <summary>CPU model and its properties, as QEMU names them.</summary>
    public string Cpu { get; init; } = DefaultCpu;

    /// <summary>The secure kernel is tests/RogueKernel: it does what Linux asks it to, and has no services.</summary>
    public bool HasRogueKernel { get; init; }

    /// <summary>What a <see cref="ImageVariant.Weak"/> monitor lacks.</summary>
    public IReadOnlyList<Defence> Without { get; init; } = MemoryDefences;

    /// <summary>What is put wrong in a <see cref="ImageVariant.Checked"/> monitor.</summary>
    public IReadOnlyList<PlantedDifference> Planted { get; init; } = [];

    /// <summary>File that describes the system; null: systems/demo.json.</summary>
    public string? System { get; init; }

    /// <summary>File with more components and services for the system (<see cref="SystemAddition"/>), relative to the repository's root; null: none.</summary>
    public string? Addition { get; init; }

    /// <summary>File that is the guest's disk /dev/vda, on virtio; null: none.</summary>
    public string? Disk { get; init; }

    /// <summary>Linux drives the disk; else it lies there for whoever programs it.</summary>
    public bool HasDiskDriver { get; init; }

    /// <summary>Network cards, as QEMU names them; each in a network of its own, 10.0.2.0/24 and so on, with the build machine at .2 and the guest at .15.</summary>
    public IReadOnlyList<string> NetworkCards { get; init; } = [];

    /// <summary>More devices, each as QEMU's -device takes it.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Properties of devices that are there anyway, each as QEMU's -global takes it.</summary>
    public IReadOnlyList<string> Properties { get; init; } = [];

    /// <summary>The interrupt controller has a translation service (ITS): some devices do not start without one.</summary>
    public bool HasInterruptTranslation { get; init; }

    /// <summary>A panic of the guest's kernel is not the end: a second kernel is loaded for it (kdump).</summary>
    public bool HasCrashKernel { get; init; }

    /// <summary>A panic of the secure world stops the machine.</summary>
    public bool StopsOnPanic { get; init; }

    /// <summary>Socket at which QEMU waits for a debugger, before the machine's first instruction; null: it does not.</summary>
    public string? DebugSocket { get; init; }

    /// <summary>The virtual clock counts instructions, and nothing random is in the device tree: counts repeat.</summary>
    public bool CountsInstructions { get; init; }
}
