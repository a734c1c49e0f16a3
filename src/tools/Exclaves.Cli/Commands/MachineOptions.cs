using System.CommandLine;
using System.IO;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;

namespace Exclaves.Cli.Commands;

/// <summary>Options of the commands that start the machine.</summary>
public sealed class MachineOptions
{
    public Option<DirectoryInfo?> Share { get; } = new("--share") { Description = "Folder that the guest sees at /share", HelpName = "DIR" };

    public Option<FileInfo?> Disk { get; } = new("--disk") { Description = "File that is the guest's disk, /dev/vda", HelpName = "FILE" };

    public Option<bool> Network { get; } = new("--network") { Description = "A network card; the build machine is 10.0.2.2 from the guest" };

    public Option<int> Cpus { get; } = new("--smp")
    {
        Description = $"Number of CPUs, 1 to {MachineSpec.MaxCpus}",
        HelpName = "N",
        DefaultValueFactory = _ => MachineSpec.DefaultCpus,
    };

    public Option<int> Memory { get; } = new("--memory")
    {
        Description = $"Memory of the machine in MiB, at least {MachineSpec.MinMemoryMib}",
        HelpName = "MIB",
        DefaultValueFactory = _ => MachineSpec.DefaultMemoryMib,
    };

    public Option<bool> Unprotected { get; } = new("--unprotected") { Description = "Boot the monitor with its protections left out, on which attacks succeed" };

    public Option<bool> Checked { get; } = new("--checked") { Description = "Boot the monitor that compares its tables with each other while it runs" };

    public Option<string> Cpu { get; } = new("--cpu")
    {
        Description = "CPU model and properties, as QEMU names them",
        HelpName = "MODEL",
        DefaultValueFactory = _ => MachineSpec.DefaultCpu,
    };

    public Option<bool> RogueKernel { get; } = new("--rogue-kernel") { Description = "Boot the tests' secure kernel that an attacker owns, in place of SK" };

    public Option<string?> Production { get; } = new("--production")
    {
        Description = "Boot a production image, signed with this private key (PEM, P-256), instead of a debug one",
        HelpName = "FILE",
    };

    public Option<bool> StopOnPanic { get; } = new("--stop-on-panic") { Description = "Boot an image whose machine stops when the secure world panics" };

    public Option<FileInfo?> System { get; } = CreateSystem();

    public Option<FileInfo?> Add { get; } = CreateAdd();

    public Option<bool> NoBuild { get; } = new("--no-build") { Description = "Use what was built last" };

    public Option<string> Append { get; } = new("--append")
    {
        Description = "More arguments for the guest's kernel",
        HelpName = "ARGS",
        DefaultValueFactory = _ => "",
    };

    public static Option<FileInfo?> CreateSystem()
    {
        Option<FileInfo?> system = new("--system") { Description = "System description (JSON) instead of systems/demo.json", HelpName = "FILE" };
        system.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<FileInfo?>() is { Exists: false } file)
            {
                result.AddError($"--system: there is no file '{file}'.");
            }
        });
        return system;
    }

    public static Option<FileInfo?> CreateAdd()
    {
        Option<FileInfo?> add = new("--add") { Description = "More components, services and programs for the system (JSON), of a conclave outside this repository", HelpName = "FILE" };
        add.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<FileInfo?>() is { Exists: false } file)
            {
                result.AddError($"--add: there is no file '{file}'.");
            }
        });
        return add;
    }

    public void AddTo(Command command)
    {
        AddRange(Cpus, 1, MachineSpec.MaxCpus);
        AddRange(Memory, MachineSpec.MinMemoryMib, MachineSpec.MaxMemoryMib);
        Share.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<DirectoryInfo?>() is { Exists: false } folder)
            {
                result.AddError($"--share: there is no folder '{folder}'.");
            }
        });
        Disk.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<FileInfo?>() is { Exists: false } file)
            {
                result.AddError($"--disk: there is no file '{file}'.");
            }
        });
        command.Options.Add(Share);
        command.Options.Add(Disk);
        command.Options.Add(Network);
        command.Options.Add(Cpus);
        command.Options.Add(Memory);
        command.Options.Add(Cpu);
        command.Options.Add(Append);
        command.Options.Add(Production);
        command.Options.Add(System);
        command.Options.Add(Add);
        command.Options.Add(NoBuild);
        command.Options.Add(StopOnPanic);
        command.Options.Add(Unprotected);
        command.Options.Add(Checked);
        command.Options.Add(RogueKernel);
    }

    public MachineSpec Read(ParseResult parsed) => new()
    {
        Cpus = parsed.GetValue(Cpus),
        MemoryMib = parsed.GetValue(Memory),
        Share = parsed.GetValue(Share)?.FullName,
        Disk = parsed.GetValue(Disk)?.FullName,
        HasDiskDriver = parsed.GetValue(Disk) != null,
        NetworkCards = parsed.GetValue(Network) ? ["virtio-net-pci"] : [],
        Cpu = parsed.GetValue(Cpu)!,
        HasRogueKernel = parsed.GetValue(RogueKernel),
        Append = parsed.GetValue(Append)!,
        StopsOnPanic = parsed.GetValue(StopOnPanic),
        ProductionKey = parsed.GetValue(Production),
        System = parsed.GetValue(System)?.FullName,
        Addition = parsed.GetValue(Add)?.FullName,
        Variant = parsed.GetValue(Unprotected) ? ImageVariant.Weak : parsed.GetValue(Checked) ? ImageVariant.Checked : ImageVariant.Normal,
    };

    private static void AddRange(Option<int> option, int lowest, int highest) => option.Validators.Add(result =>
    {
        // What is no number at all has its own message already.
        if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && (value < lowest || value > highest))
        {
            result.AddError($"{option.Name} takes {lowest} to {highest}, not {value}.");
        }
    });
}
