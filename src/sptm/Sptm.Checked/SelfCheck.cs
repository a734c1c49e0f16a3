using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>The monitor looks at itself: what `Sptm.Image` leaves empty.</summary>
/// <remarks>Writers of tables hold the stage-2 lock, or run before any other CPU; so does everything here.</remarks>
public static unsafe class SelfCheck
{
    /// <summary>Of so many changes of a frame one is followed by a walk of everything.</summary>
    private const ulong SampleEvery = 4096;

    /// <summary>So many calls held are a report that others wait for.</summary>
    private const ulong HeldCalls = 64;

    private const ulong MmuAndWriteExcludesExecute = 1 | (1ul << 19);

    private static Stage2Shadow _shadow;
    private static ulong _changes;
    private static uint _hasBegun;
    private static uint _hasBooted;

    private static bool IsPlanted(PlantedDifference difference) => (Mask() & (1ul << (int)difference)) != 0;

    public static void Write(ulong entry, ulong value)
    {
        if (_hasBegun == 0)
        {
            _hasBegun = 1;
            _shadow.Begin(Monitor.LinuxTables.Root);
            _shadow.AddRoot(Monitor.LinuxTables.Root, Boot.LinuxVmid);
            _shadow.AddRoot(Monitor.SecureTables.Root, Boot.SecureVmid);
        }

        Require(_shadow.Write(entry, Mmio.Read64(entry), value), entry, value);
    }

    public static void Invalidated(ulong vttbr, ulong ipa)
    {
        if (_hasBooted == 0 || !IsPlanted(PlantedDifference.Invalidation))
        {
            _shadow.Invalidated((ushort)(vttbr >> 48), ipa);
        }
    }

    public static void InvalidatedAll(ulong vttbr)
    {
        if (_hasBooted == 0 || !IsPlanted(PlantedDifference.Invalidation))
        {
            _shadow.InvalidatedAll((ushort)(vttbr >> 48));
        }
    }

    public static void Clear(ulong frame)
    {
        Require(_shadow.Clear(frame), frame, 0);
        if (Monitor.Frames.TypeOf(frame) != FrameType.SptmPageTable)
        {
            Require((Monitor.LinuxTables.Lookup(frame) | Monitor.SecureTables.Lookup(frame)) == 0 ? default : "a frame cleared while somebody has it"u8, frame, 0);
        }
    }

    public static void Changed(ulong address)
    {
        Require(_shadow.IsSettled ? default : "a TLBI is missing after a change of"u8, address, 0);
        TableCheck<Stage2Machine> check = Begin();
        Require(check.CheckFrame(Monitor.LinuxTables.Root, isLinux: true, address) && check.CheckFrame(Monitor.SecureTables.Root, isLinux: false, address), check);
        if (++_changes % SampleEvery == 0)
        {
            _ = CheckAll();
        }
    }

    public static void Booted()
    {
        Plant();
        Report(CheckAll());
        _hasBooted = 1;
    }

    /// <summary>Makes the report as long as the image's mask wants it, and counts what Linux's calls got meanwhile.</summary>
    public static void Reporting()
    {
        bool isEndless = IsPlanted(PlantedDifference.EndlessReport);
        if (!isEndless && !IsPlanted(PlantedDifference.HeldReport))
        {
            return;
        }

        // Read in this order: a call counts as refused before it counts as ended, so what was refused while none was ended was held.
        ulong before = Monitor.Counter(SptmCounter.RefusedCall);
        ulong held = 0;
        ulong ended = 0;
        while (ended == 0 && (isEndless || held < HeldCalls))
        {
            ulong refused = Monitor.Counter(SptmCounter.RefusedCall) - before;
            ended = Monitor.Counter(SptmCounter.EndedCall);
            held = ended == 0 ? refused : held;
        }

        LineBuilder line = new(stackalloc byte[120]);
        line.Append("SPTM: checked: during the report calls were held: "u8);
        line.AppendDecimal(held);
        line.Append(", ended: "u8);
        line.AppendDecimal(ended);
        Console.Line(line.Text);
    }

    public static void Ending()
    {
        using Spinlock.Held held = Monitor.LockStage2();
        Report(CheckAll());
    }

    private static TableCheck<Stage2Machine> Begin() => new(Monitor.Frames, Monitor.Description.RamBytes, Monitor.Description.CpuCount);

    /// <summary>Answers how many descriptors were seen.</summary>
    private static ulong CheckAll()
    {
        Require(_shadow.IsSettled ? default : "a TLBI is missing"u8, 0, 0);
        TableCheck<Stage2Machine> check = Begin();
        Require(
            check.CheckFrames()
            && check.CheckStage2(Monitor.LinuxTables.Root, isLinux: true)
            && ((Monitor.HasSecureEnded && check.IsEmpty(Monitor.SecureTables.Root)) || check.CheckStage2(Monitor.SecureTables.Root, isLinux: false))
            && (!Monitor.Description.HasSmmu || check.CheckSmmu(Smmu.Tables))
            && check.CheckOwn(OwnRoot(), Virt.SptmBase, TextEnd()),
            check);
        CheckRegisters();
        return check.Entries;
    }

    /// <summary>The registers that make these tables count.</summary>
    private static void CheckRegisters()
    {
        ulong control = Control();
        Require((control & MmuAndWriteExcludesExecute) == MmuAndWriteExcludesExecute ? default : "the monitor runs without its translation"u8, 0, control);
        for (int i = 0; i < Monitor.Description.CpuCount; i++)
        {
            PerCpu* cpu = Monitor.Cpu(i);
            Require(
                cpu->LinuxWorld[(int)WorldRegister.VttbrEl2] == Monitor.LinuxTables.TranslationBase
                && cpu->SecureWorld[(int)WorldRegister.VttbrEl2] == Monitor.SecureTables.TranslationBase ? default : "a CPU has another stage 2"u8,
                (ulong)i,
                cpu->LinuxWorld[(int)WorldRegister.VttbrEl2]);
        }

        if (Monitor.Description.HasSmmu)
        {
            uint state = Mmio.Read32(Virt.Smmu + SmmuRegister.Cr0Ack);
            ulong root = Mmio.Read64(Virt.Smmu + SmmuRegister.StrtabBase) & ~SmmuRegister.BaseAllocate;
            Require(state == (SmmuRegister.Cr0EventQueue | SmmuRegister.Cr0Enable) && root == Smmu.Tables ? default : "the SMMU is off, or stands on other tables"u8, root, state);
        }
    }

    private static void Report(ulong entries)
    {
        LineBuilder line = new(stackalloc byte[120]);
        line.Append("SPTM: checked: "u8);
        line.AppendDecimal(Monitor.Description.RamBytes / FrameTable.PageBytes);
        line.Append(" frames, "u8);
        line.AppendDecimal(entries);
        line.Append(" entries, agree"u8);
        Console.Line(line.Text);
    }

    private static void Require(bool agrees, scoped in TableCheck<Stage2Machine> check)
    {
        if (!agrees)
        {
            Require(check.Rule, check.Address, check.Value);
        }
    }

    private static void Require(scoped ReadOnlySpan<byte> rule, ulong address, ulong value)
    {
        if (rule.IsEmpty)
        {
            return;
        }

        LineBuilder line = new(stackalloc byte[200]);
        line.Append("checked: "u8);
        line.Append(rule);
        line.Append(": "u8);
        line.AppendHex(address);
        line.Append(", "u8);
        line.AppendHex(value);
        Machinery.Panic(line.Text);
    }

    /// <summary>Puts wrong what the image's mask asks for.</summary>
    private static void Plant()
    {
        const ulong Leaf = 0x60_0000_0000_0701;
        if (IsPlanted(PlantedDifference.Mapping))
        {
            _ = Monitor.LinuxTables.SetRange(ref Monitor.Tables, Virt.SkBase, FrameTable.PageBytes, FrameAccess.Read, device: false);
        }

        if (IsPlanted(PlantedDifference.Type))
        {
            Monitor.Frames.Entry(Virt.SkBase).Type = FrameType.XnuDefault;
        }

        if (IsPlanted(PlantedDifference.Count))
        {
            Monitor.Frames.Entry(Monitor.Plan.KernelBase).BorrowCount = 1;
        }

        if (IsPlanted(PlantedDifference.Window))
        {
            Mmio.Write64(Smmu.Tables + SmmuTables.WindowBlocks + ((Virt.SkBase - DmaWindow.Base) >> 21 << 3), Virt.SkBase | Leaf);
        }

        if (IsPlanted(PlantedDifference.OwnTable))
        {
            // The fourth of entry.S's tables is the level 3 of the monitor's slot.
            ulong entry = OwnRoot() + (3 * FrameTable.PageBytes) + ((TextEnd() - Virt.SptmBase) >> FrameTable.PageShift << 3);
            Mmio.Write64(entry, Mmio.Read64(entry) & ~(1ul << 54));
        }
    }

    [RuntimeImport("*", "checked_mask")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong Mask();

    [RuntimeImport("*", "checked_own_root")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong OwnRoot();

    [RuntimeImport("*", "checked_control")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong Control();

    [RuntimeImport("*", "checked_text_end")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong TextEnd();
}
