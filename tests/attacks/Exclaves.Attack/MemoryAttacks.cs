using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Every way that Linux has to reach memory, on every kind of secure frame.</summary>
/// <remarks>
/// Where the defence is left out, what an attack changes is put back at once: a write is undone, an instruction or a descriptor is planted,
/// used, and the old word restored with interrupts off.
/// </remarks>
internal sealed class MemoryAttacks
{
    private const long ErrorFault = -14;
    private const int KilledByBusError = 128 + 7;
    private const ulong Pattern = 0x4558_434C_4156_4553;
    private const ulong DevicePattern = 0x40;
    private const ulong LpiWindowFirst = 1024;
    private const ulong LpiWindowEnd = 8192;
    private const ulong LpiFrameBytes = 0x1_0000;
    private const string SignerComponent = "signer";

    private readonly Trial _trial;
    private readonly Field _field;
    private readonly AttackDevice _device;
    private readonly bool _succeeds;

    private MemoryAttacks(Trial trial)
    {
        _trial = trial;
        _field = trial.Field;
        _device = trial.Field.Device;
        _succeeds = trial.IsWeak;
    }

    public static void AddTo(Suite suite)
    {
        suite.Add("kernel.read", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedKernelData, self => self.ReadFixup));
        suite.Add("kernel.read.direct", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedKernelData, self => self.ReadDirect));
        suite.Add("process.read", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedUserData, self => target => self.User(target, "read", target.Read)));
        suite.Add("kernel.hunt", trial => new MemoryAttacks(trial).KeyHunt());
        suite.Add("device.read", trial => new MemoryAttacks(trial).Devices(isWrite: false));
        suite.Add("lpi.oracle", trial => new MemoryAttacks(trial).Lpi());
        suite.Add("lpi.oracle.its", trial => new MemoryAttacks(trial).Lpi());
        suite.Add("walk.translate", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedWalk, self => target => self.Walk(target, load: false)));
        suite.Add("walk.load", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedWalk, self => target => self.Walk(target, load: true)));
        suite.Add("kernel.write", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedKernelData, self => self.WriteFixup));
        suite.Add("kernel.write.direct", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedKernelData, self => self.WriteDirect));
        suite.Add("kernel.write.exclusive", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedKernelData, self => target => self.WriteBy(StoreForm.Exclusive, target)));
        suite.Add("kernel.write.atomic", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedKernelData, self => target => self.WriteBy(StoreForm.Swap, target)));
        suite.Add("kernel.zero", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedKernelData, self => self.Zero));
        suite.Add("process.write", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedUserData, self => target => self.User(target, "write", target.Write)));
        suite.Add("device.write", trial => new MemoryAttacks(trial).Devices(isWrite: true));
        suite.Add("kernel.execute", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedFetch, self => self.Fetch));
        suite.Add("process.execute", trial => new MemoryAttacks(trial).Frames(SptmCounter.RefusedFetch, self => target => self.User(target, "fetch", target.Write)));
    }

    private void Frames(SptmCounter counter, Func<MemoryAttacks, Func<Target, Attempt>> way)
    {
        foreach (Target target in _field.Targets.Where(target => !target.IsDevice))
        {
            _trial.Try(target.Name, _field.Of(counter), () => way(this)(target));
        }
    }

    private void Devices(bool isWrite)
    {
        foreach (Target target in _field.Targets.Where(target => target.IsDevice))
        {
            Meter meter = _field.Of(SptmCounter.RefusedDevice);
            _trial.Try(target.Name, meter, () => isWrite ? WriteFixup(target) : ReadFixup(target));
            _trial.Try($"{target.Name}, direct", meter, () => isWrite ? WriteDirect(target) : ReadDirect(target));
            _trial.Try($"{target.Name}, process", meter, () => User(target, isWrite ? "write" : "read", isWrite ? target.Write : target.Read));
        }
    }

    /// <summary>Copies the signer's memory while a session is open, and looks in it for the key pair whose public half is known.</summary>
    private void KeyHunt()
    {
        using SignerClient signer = SignerClient.Open(_field.Tee);
        byte[] publicKey = signer.Generate();
        _ = signer.Sign(new byte[SignerClient.DigestBytes]);
        ComponentReport component = _field.Components().FirstOrDefault(one => one.Name.Contains(SignerComponent, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException("the secure world lists no component named like the signer");
        byte[] memory = new byte[component.Status.UntypedBytes];
        _trial.Try($"heap.{component.Name}", _field.Of(SptmCounter.RefusedKernelData), () =>
        {
            ulong copied = _device.Dump(component.Status.UntypedBase, memory);
            if (copied == 0)
            {
                return Attempt.Stopped("refused at the first byte");
            }

            KeySearchResult found = KeySearch.Search(memory.AsSpan(0, (int)copied), publicKey);
            string words = $"{copied / 1024} KiB copied, {found}";
            return found.PrivateKeyAt is null ? Attempt.Neither(words) : Attempt.Succeeded(words);
        });
    }

    private static ulong PatternFor(Target target) => target.IsDevice ? DevicePattern : Pattern;

    // On an open image the old value is known before, and is put back in the same breath.
    private (ulong Value, ulong Restore, ulong Old) WritePlan(Target target)
    {
        if (!_succeeds)
        {
            return (PatternFor(target), 0, 0);
        }

        ulong old = _device.Run(AttackKind.Read, target.Write, (ulong)target.Bytes).Out[0];
        return (old ^ PatternFor(target), 1, old);
    }

    private Attempt ReadFixup(Target target)
    {
        AttackRequest answer = _device.Run(AttackKind.Read, target.Read, (ulong)target.Bytes);
        return answer.Error switch
        {
            0 => Attempt.Succeeded($"read 0x{answer.Out[0]:x}"),
            ErrorFault => Attempt.Stopped("the access returned -EFAULT"),
            _ => Attempt.Neither($"error {answer.Error}"),
        };
    }

    private Attempt WriteFixup(Target target)
    {
        (ulong value, ulong restore, ulong old) = WritePlan(target);
        AttackRequest answer = _device.Run(AttackKind.Write, target.Write, (ulong)target.Bytes, value, restore, old);
        return answer.Error switch
        {
            0 when answer.Out[0] == value => Attempt.Succeeded($"changed 0x{old:x} to 0x{value:x}"),
            0 => Attempt.Neither($"the write had no effect: 0x{answer.Out[0]:x}"),
            ErrorFault => Attempt.Stopped("the access returned -EFAULT"),
            _ => Attempt.Neither($"error {answer.Error}"),
        };
    }

    private Attempt ReadDirect(Target target)
    {
        AttackRequest answer = _device.Run(AttackKind.ReadDirect, target.Read, (ulong)target.Bytes);
        return Thread(answer, () => Attempt.Succeeded($"read 0x{answer.Out[1]:x}"));
    }

    private Attempt WriteDirect(Target target) => WriteBy(StoreForm.Plain, target);

    private Attempt WriteBy(StoreForm form, Target target)
    {
        (ulong value, ulong restore, ulong old) = WritePlan(target);
        AttackRequest answer = _device.Store(form, target.Write, (ulong)target.Bytes, value, restore, old);
        return Thread(answer, () => answer.Out[1] == value
            ? Attempt.Succeeded($"changed 0x{old:x} to 0x{value:x}")
            : Attempt.Neither($"the write had no effect: 0x{answer.Out[1]:x}"));
    }

    private Attempt Zero(Target target)
    {
        const ulong LineBytes = 64;
        AttackRequest answer = _device.Store(StoreForm.Zero, target.Write, 0, 0, _succeeds ? 1u : 0u);
        return Thread(answer, () => answer.Out[1] == LineBytes
            ? Attempt.Succeeded("the line was zero")
            : Attempt.Neither($"{answer.Out[1]} bytes of the line are zero"));
    }

    private Attempt Fetch(Target target)
    {
        AttackRequest answer = _device.Run(AttackKind.Fetch, target.Write, _succeeds ? 1u : 0u);
        return Thread(answer, () => Attempt.Succeeded("executed an instruction there"));
    }

    private static Attempt Thread(AttackRequest answer, Func<Attempt> survived)
    {
        if (answer.Error != 0)
        {
            return Attempt.Neither($"error {answer.Error}");
        }

        return answer.Out[0] == 1 ? Attempt.Stopped("the kernel thread died alone") : survived();
    }

    private Attempt Walk(Target target, bool load)
    {
        AttackRequest answer = _device.Run(AttackKind.Walk, target.Write, load ? 1u : 0u, _succeeds ? 1u : 0u);
        if (answer.Error != 0)
        {
            return Attempt.Neither($"error {answer.Error}");
        }

        if (answer.Out[0] == 1)
        {
            return Attempt.Stopped("the walk raised an external abort");
        }

        // PAR_EL1: bit 0 is a failed translation; bits 47:12 are the frame otherwise.
        bool proven = load ? answer.Out[1] == answer.Out[2] : (answer.Out[1] & 1) == 0 && ((answer.Out[1] ^ answer.Out[2]) & 0xFFFF_FFFF_F000) == 0;
        return proven
            ? Attempt.Succeeded($"the descriptor there translated to 0x{answer.Out[1]:x}")
            : Attempt.Neither($"the walk went through and gave 0x{answer.Out[1]:x}");
    }

    private Attempt User(Target target, string access, ulong address)
    {
        string value = (access == "write" && _succeeds ? WritePlan(target).Value : PatternFor(target)).ToString("x", CultureInfo.InvariantCulture);
        ProcessStartInfo info = new("/proc/self/exe", ["touch", $"0x{address:x}", access, $"{target.Bytes}", value, _succeeds ? "1" : "0"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using Process child = Process.Start(info)!;
        string output = child.StandardOutput.ReadToEnd().Trim();
        child.WaitForExit();
        return child.ExitCode switch
        {
            KilledByBusError => Attempt.Stopped("the process got SIGBUS"),
            0 when access == "write" && output != value => Attempt.Neither($"the write had no effect: 0x{output}"),
            0 => Attempt.Succeeded($"{access} from a process: 0x{output}"),
            _ => Attempt.Neither($"the process ended with {child.ExitCode}"),
        };
    }

    // The oracle reaches 7 KiB of each 64 KiB: where a target's frame lies there, it is read through it.
    private void Lpi()
    {
        if (_succeeds)
        {
            _trial.Try("image.header", default, ReadArguments);
            return;
        }

        foreach (Target target in _field.Targets.Where(target => !target.IsDevice))
        {
            ulong address = (target.Read & ~(LpiFrameBytes - 1)) + LpiWindowFirst;
            if ((target.Read & ~0xFFFul) == (address & ~0xFFFul))
            {
                _trial.Try(target.Name, _field.Of(SptmCounter.RefusedLpi), () => ReadThroughLpi(address));
            }
        }
    }

    private Attempt ReadThroughLpi(ulong address)
    {
        AttackRequest answer = _device.Run(AttackKind.Lpi, address, sizeof(ulong));
        bool readBack = answer.Out[1] != 0 || answer.Out[2] != 0 || (answer.Out[3] & 1) != 0;
        return answer.Error != 0 ? Attempt.Neither($"error {answer.Error}")
            : answer.Out[4] != 0 ? Attempt.Succeeded($"read 0x{answer.Out[0]:x} through the pending table")
            : readBack ? Attempt.Neither("no bit came out, but the registers took the address")
            : Attempt.Stopped("no bit came out; registers read back as zero");
    }

    // Nothing else of such a build is open to Linux. What was read is proven by the kernel's arguments, which lie there and which Linux knows.
    private Attempt ReadArguments()
    {
        byte[] window = new byte[LpiWindowEnd - LpiWindowFirst];
        for (int at = 0; at < window.Length; at += sizeof(ulong))
        {
            AttackRequest answer = _device.Run(AttackKind.Lpi, Virt.ImageHeaderBase + LpiWindowFirst + (ulong)at, sizeof(ulong));
            _ = BitConverter.TryWriteBytes(window.AsSpan(at), answer.Out[0]);
        }

        string line = File.ReadAllText("/proc/cmdline").Trim();
        return line.Length == 0 || window.AsSpan().IndexOf(Encoding.UTF8.GetBytes(line)) < 0
            ? Attempt.Neither($"{window.Length} bytes were read, the kernel's arguments not among them")
            : Attempt.Succeeded($"{window.Length} bytes were read, among them: {line}");
    }
}
