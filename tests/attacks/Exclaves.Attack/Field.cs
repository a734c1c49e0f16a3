using System;
using System.Collections.Generic;
using System.IO;
using Exclaves.Abi;
using Exclaves.Attacks;
using Exclaves.Client;
using Exclaves.RogueKernel;

namespace Exclaves.Attack;

/// <summary>Where attacks run: the module's device, a driver of their own, Linux's own driver, the targets, the counters.</summary>
internal sealed class Field : IDisposable
{
    private const string PanicOnOops = "/proc/sys/kernel/panic_on_oops";

    private readonly TeeDevice? _tee;
    private readonly HelloClient? _hello;
    private readonly StatisticsClient? _statistics;
    private RawDriver? _driver;
    private KernelPage? _page;
    private Masters? _masters;
    private RegisterDevice? _registers;

    public Field(AttackMachine machine)
    {
        if (File.Exists(PanicOnOops))
        {
            // An Oops shall kill one thread.
            File.WriteAllText(PanicOnOops, "0");
        }

        Device = AttackDevice.Open();
        Targets = [];
        if (machine is AttackMachine.RogueKernel or AttackMachine.RogueKernelMax or AttackMachine.RogueKernelCounted)
        {
            Kernel = new RogueKernel(Device);
            return;
        }

        if (machine == AttackMachine.ChangedImage && !File.Exists(TeeDevice.DefaultPath))
        {
            HasSecureWorld = false;
            return;
        }

        _tee = TeeDevice.Open();
        _hello = HelloClient.Open(_tee);
        _statistics = StatisticsClient.Open(_tee);

        // Conclaves start with their first caller; before that they have no memory to attack.
        _hello.Null();
        using SignerClient signer = SignerClient.Open(_tee);
        _ = signer.Generate();
        Targets = Target.Find(Components());
    }

    public AttackDevice Device { get; }

    /// <summary>SK, where it is the compromised one; it has no services.</summary>
    public RogueKernel? Kernel { get; }

    /// <summary>SPTM let one start.</summary>
    public bool HasSecureWorld { get; } = true;

    /// <summary>Rules were broken that end the secure world; nobody answers there any more.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Calls with every register in the attacker's hands.</summary>
    public RegisterDevice Registers => _registers ??= new RegisterDevice();

    /// <summary>Linux's own driver.</summary>
    public TeeDevice Tee => _tee ?? throw NoServices;

    /// <summary>Pieces of the secure world, one for each kind of frame, and its devices.</summary>
    public IReadOnlyList<Target> Targets { get; }

    /// <summary>A driver past Linux's own, with its message page registered.</summary>
    public RawDriver Driver
    {
        get
        {
            if (_driver is null)
            {
                RawDriver driver = new(Device);
                uint registered = driver.RegisterMessagePage();
                _driver = registered == Abi.Tee.Success ? driver : throw new InvalidOperationException($"the message page is not registered: 0x{registered:x8}");
            }

            return _driver;
        }
    }

    /// <summary>A page of Linux's own: the permitted target.</summary>
    public KernelPage OwnPage => _page ??= Device.NewPage();

    /// <summary>Everything on PCI that the attacker programs; only the machine with such devices has it.</summary>
    public Masters Masters => _masters ??= new Masters(Device);

    public Meter Of(SptmCounter counter) => new($"SPTM {counter}", () => Device.Counter(counter) ?? 0);

    public Meter Of(SkCounter counter) => new($"SK {counter}", () => Statistics.Counters()[counter]);

    public Meter Of(ProxyCounter counter) => new($"XnuProxy {counter}", () => Statistics.Counters()[counter]);

    public SystemCounters Counters() => Statistics.Counters();

    public IReadOnlyList<ComponentReport> Components() => Statistics.Components();

    private StatisticsClient Statistics => _statistics ?? throw NoServices;

    private static InvalidOperationException NoServices => new("this machine's secure kernel has no services");

    /// <summary>Whether Linux's own driver and a service behind it still answer; if not, why.</summary>
    public bool IsAlive(out string why)
    {
        try
        {
            why = "";
            if (IsClosed)
            {
                return Device.Counter(SptmCounter.SecureBreach) > 0;
            }

            if (!HasSecureWorld)
            {
                return Device.Counter(SptmCounter.RefusedImage) is not null;
            }

            if (Kernel is { } kernel)
            {
                RogueAnswer answer = kernel.Ask(RogueCommand.Ping);
                why = answer.ToString();
                return answer.X1 == RogueKernel.Magic;
            }

            _hello!.Null();
            return true;
        }
        catch (TeeException error)
        {
            why = error.Message;
            return false;
        }
    }

    public void Dispose()
    {
        _hello?.Dispose();
        _statistics?.Dispose();
        _registers?.Dispose();
        Device.Dispose();
        _tee?.Dispose();
    }
}
