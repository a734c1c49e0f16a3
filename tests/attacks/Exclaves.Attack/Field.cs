using System;
using System.Collections.Generic;
using System.IO;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Where attacks run: the module's device, a driver of their own, Linux's own driver, the targets, the counters.</summary>
internal sealed class Field : IDisposable
{
    private const string PanicOnOops = "/proc/sys/kernel/panic_on_oops";

    private readonly TeeDevice _tee = TeeDevice.Open();
    private readonly HelloClient _hello;
    private readonly StatisticsClient _statistics;
    private RawDriver? _driver;
    private KernelPage? _page;
    private Masters? _masters;

    public Field()
    {
        if (File.Exists(PanicOnOops))
        {
            // An Oops shall kill one thread.
            File.WriteAllText(PanicOnOops, "0");
        }

        Device = AttackDevice.Open();
        _hello = HelloClient.Open(_tee);
        _statistics = StatisticsClient.Open(_tee);

        // Conclaves start with their first caller; before that they have no memory to attack.
        _hello.Null();
        using SignerClient signer = SignerClient.Open(_tee);
        _ = signer.Generate();
        Targets = Target.Find(Components());
    }

    public AttackDevice Device { get; }

    /// <summary>Linux's own driver.</summary>
    public TeeDevice Tee => _tee;

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

    public Meter Of(SkCounter counter) => new($"SK {counter}", () => _statistics.Counters()[counter]);

    public Meter Of(ProxyCounter counter) => new($"XnuProxy {counter}", () => _statistics.Counters()[counter]);

    public SystemCounters Counters() => _statistics.Counters();

    public IReadOnlyList<ComponentReport> Components() => _statistics.Components();

    /// <summary>Whether Linux's own driver and a service behind it still answer; if not, why.</summary>
    public bool IsAlive(out string why)
    {
        try
        {
            _hello.Null();
            why = "";
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
        _hello.Dispose();
        _statistics.Dispose();
        Device.Dispose();
        _tee.Dispose();
    }
}
