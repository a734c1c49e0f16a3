using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Every way the kernel has to reach memory, on every kind of secure frame.</summary>
internal sealed class MemoryAttacks
{
    private const long ErrorFault = -14;
    private const int KilledByBusError = 128 + 7;
    private const ulong Pattern = 0x4558_434C_4156_4553;
    private const ulong DevicePattern = 0x40;
    private const ulong LpiWindowFirst = 1024;
    private const ulong LpiWindowEnd = 8192;
    private const ulong LpiFrameBytes = 0x1_0000;

    private readonly AttackDevice _device;
    private readonly Report _report;
    private readonly bool _succeeds;

    public MemoryAttacks(AttackDevice device, Report report, bool succeeds)
    {
        _device = device;
        _report = report;
        _succeeds = succeeds;
    }

    /// <summary>What an attempt brought: nothing (refused as it must be), or loot.</summary>
    private readonly record struct Attempt(bool Refused, bool Loot, string Words)
    {
        public static Attempt Stopped(string words) => new(true, false, words);

        public static Attempt Succeeded(string words) => new(false, true, words);

        public static Attempt Neither(string words) => new(false, false, words);
    }

    /// <summary>Readings first: on an open image they change nothing.</summary>
    public void RunReadings(IReadOnlyList<Target> targets)
    {
        foreach (Target target in targets)
        {
            Judge("read", target, target.Read, Data(target), () => ReadFixup(target));
            Judge("read.direct", target, target.Read, Data(target), () => ReadDirect(target));
            Judge("user.read", target, target.Read, User(target), () => User(target, "read", target.Read));
            if (!target.IsDevice)
            {
                Lpi(target);
            }
        }
    }

    /// <summary>
    /// What changes a frame, if it succeeds, comes last and puts the old content back as soon as the change is proven: walks, which plant one
    /// descriptor with interrupts off, then writes, then instructions planted and called.
    /// </summary>
    public void RunChanges(IReadOnlyList<Target> targets)
    {
        List<Target> memory = [.. targets.Where(target => !target.IsDevice)];
        foreach (Target target in memory)
        {
            Judge("walk.translate", target, target.Write, SptmCounter.RefusedWalk, () => Walk(target, load: false));
            Judge("walk.load", target, target.Write, SptmCounter.RefusedWalk, () => Walk(target, load: true));
        }

        foreach (Target target in targets)
        {
            Judge("write", target, target.Write, Data(target), () => WriteFixup(target));
            Judge("write.direct", target, target.Write, Data(target), () => WriteDirect(target));
            Judge("user.write", target, target.Write, User(target), () => User(target, "write", target.Write));
        }

        foreach (Target target in memory)
        {
            Judge("fetch", target, target.Write, SptmCounter.RefusedFetch, () => Fetch(target));
            Judge("user.fetch", target, target.Write, SptmCounter.RefusedFetch, () => User(target, "fetch", target.Write));
        }
    }

    /// <summary>Copies the signer's memory, and looks in it for the key pair whose public half is known.</summary>
    public void KeyHunt(ComponentReport signer, byte[] publicKey, string? dumpFile)
    {
        ulong start = signer.Status.UntypedBase;
        ulong before = Counter(SptmCounter.RefusedAccess);
        ulong beforeClass = Counter(SptmCounter.RefusedKernelData);
        byte[] memory = new byte[signer.Status.UntypedBytes];
        ulong copied = _device.Dump(start, memory);
        long delta = Rise(SptmCounter.RefusedAccess, before, SptmCounter.RefusedKernelData, beforeClass);
        if (dumpFile is not null && copied != 0)
        {
            using FileStream stream = File.Create(dumpFile);
            stream.Write(memory, 0, (int)copied);
            File.WriteAllText(dumpFile + ".pem", Pem.Encode(publicKey));
        }

        KeySearchResult found = KeySearch.Search(memory.AsSpan(0, (int)copied), publicKey);
        string words = copied == 0 ? "refused at the first byte" : $"{copied / 1024} KiB copied, {found}";
        bool ok = _succeeds ? found.PrivateKeyAt is not null : copied == 0 && delta > 0;
        _report.Add(new AttackResult("key.hunt", $"heap.{signer.Name}", start, words, nameof(SptmCounter.RefusedKernelData), delta, Expected, ok));
    }

    private static SptmCounter Data(Target target) => target.IsDevice ? SptmCounter.RefusedDevice : SptmCounter.RefusedKernelData;

    private static SptmCounter User(Target target) => target.IsDevice ? SptmCounter.RefusedDevice : SptmCounter.RefusedUserData;

    private string Expected => _succeeds ? "succeeds" : "stopped";

    private void Judge(string name, Target target, ulong address, SptmCounter counter, Func<Attempt> attempt)
    {
        ulong before = Counter(SptmCounter.RefusedAccess);
        ulong beforeClass = Counter(counter);
        Attempt made = attempt();
        long delta = Rise(SptmCounter.RefusedAccess, before, counter, beforeClass);
        bool ok = _succeeds ? made.Loot : made.Refused && delta > 0;
        _report.Add(new AttackResult(name, target.Name, address, made.Words, Enum.GetName(counter)!, delta, Expected, ok));
    }

    // An open image may have no counter at all: it then reads as zero and never rises.
    private ulong Counter(SptmCounter counter) => _device.Counter(counter) ?? 0;

    // Both counters must have risen: the lesser rise counts.
    private long Rise(SptmCounter total, ulong totalBefore, SptmCounter special, ulong specialBefore) =>
        Math.Min((long)(Counter(total) - totalBefore), (long)(Counter(special) - specialBefore));

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

    private Attempt WriteDirect(Target target)
    {
        (ulong value, ulong restore, ulong old) = WritePlan(target);
        AttackRequest answer = _device.Run(AttackKind.WriteDirect, target.Write, (ulong)target.Bytes, value, restore, old);
        return Thread(answer, () => answer.Out[1] == value
            ? Attempt.Succeeded($"changed 0x{old:x} to 0x{value:x}")
            : Attempt.Neither($"the write had no effect: 0x{answer.Out[1]:x}"));
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

    // The oracle reaches 7 KiB of each 64 KiB: the target's frame, if it lies there.
    private void Lpi(Target target)
    {
        ulong address = (target.Read & ~(LpiFrameBytes - 1)) + LpiWindowFirst;
        if ((target.Read & ~0xFFFul) != (address & ~0xFFFul))
        {
            return;
        }

        ulong truth = 0;
        if (_succeeds)
        {
            // A word of zeroes would prove nothing: take the next one that has bits.
            ulong end = (target.Read & ~(LpiFrameBytes - 1)) + LpiWindowEnd;
            while ((truth = _device.Run(AttackKind.Read, address, sizeof(ulong)).Out[0]) == 0 && address + sizeof(ulong) < end)
            {
                address += sizeof(ulong);
            }

            if (truth == 0)
            {
                return;
            }
        }

        ulong before = Counter(SptmCounter.RefusedLpi);
        AttackRequest answer = _device.Run(AttackKind.Lpi, address, sizeof(ulong));
        long delta = (long)(Counter(SptmCounter.RefusedLpi) - before);
        bool readBack = answer.Out[1] != 0 || answer.Out[2] != 0 || (answer.Out[3] & 1) != 0;
        string words = answer.Error != 0
            ? $"error {answer.Error}"
            : answer.Out[4] == 0
                ? $"no bit came out; registers {(readBack ? "took the address" : "read back as zero")}"
                : $"read 0x{answer.Out[0]:x} through the pending table";
        bool ok = answer.Error == 0 && (_succeeds ? answer.Out[0] == truth : answer.Out[4] == 0 && !readBack && delta > 0);
        _report.Add(new AttackResult("lpi.oracle", target.Name, address, words, nameof(SptmCounter.RefusedLpi), delta, Expected, ok));
    }
}
