using System.Collections.Generic;

namespace Exclaves.Sptm.Model;

/// <summary>A defect of the machine layer.</summary>
internal enum MachineFault
{
    None,

    /// <summary>Single translations are not invalidated.</summary>
    NoInvalidate,

    /// <summary>A whole world is never invalidated.</summary>
    NoInvalidateAll,

    /// <summary>Only the TLB of the CPU that makes the call is invalidated.</summary>
    LocalInvalidate,

    /// <summary>The other world's TLB entries are invalidated.</summary>
    OtherWorld,

    /// <summary>Invalidated first, broken afterwards.</summary>
    LateBreak,

    /// <summary>One valid descriptor takes the place of another.</summary>
    NoBreak,

    /// <summary>Frames keep what was in them.</summary>
    NoClear,
}

/// <summary>The machine under the monitor's code: keeps memory, and notes every effect with what was visible right before it, and what is after a change of a table.</summary>
internal readonly struct ModelMachine : IStage2Machine
{
    private static ulong _lateBreak;

    public static Memory Memory { get; set; } = null!;

    public static List<(Effect Effect, View Before)> Trace { get; } = [];

    public static MachineFault Fault { get; set; }

    /// <summary>CPU that makes the call.</summary>
    public static int Cpu { get; set; }

    public static ulong ReadEntry(ulong address) => Memory.Word(address);

    public static void WriteEntry(ulong address, ulong value)
    {
        ulong old = Memory.Word(address);
        if (value == 0 && (old & 1) != 0 && Fault is MachineFault.LateBreak or MachineFault.NoBreak)
        {
            _lateBreak = Fault == MachineFault.LateBreak ? address : 0;
            return;
        }

        Write(address, value);
    }

    public static void Invalidate(ushort vmid, ulong ipa)
    {
        if (Fault != MachineFault.NoInvalidate)
        {
            Note(new Effect(EffectKind.Invalidate, Target(vmid), 3, ipa, Fault == MachineFault.LocalInvalidate ? Cpu : -1));
        }

        BreakLate();
    }

    public static void InvalidateAll(ushort vmid)
    {
        if (Fault != MachineFault.NoInvalidateAll)
        {
            Note(new Effect(EffectKind.InvalidateAll, Target(vmid), 0, 0, Fault == MachineFault.LocalInvalidate ? Cpu : -1));
        }

        BreakLate();
    }

    public static void ClearPage(ulong address)
    {
        if (Fault != MachineFault.NoClear || Memory.IsTable(address))
        {
            Note(new Effect(EffectKind.Clear, World.Linux, 0, address, -1));
        }

        if (Memory.IsTable(address))
        {
            Memory.ClearTable(address);
        }
    }

    public static ref ushort Deviations(ulong table) => ref Memory.Deviations(table);

    private static World Target(ushort vmid) => Place.WorldOf(Fault == MachineFault.OtherWorld ? (ushort)(3 - vmid) : vmid);

    private static void BreakLate()
    {
        if (_lateBreak != 0)
        {
            Write(_lateBreak, 0);
            _lateBreak = 0;
        }
    }

    private static void Write(ulong address, ulong value)
    {
        ref ulong word = ref Memory.Word(address);
        bool isVisible = false;
        if (((word | value) & 1) != 0 && word != value && Memory.TryFindEntry(address, out World world, out int level, out ulong translated))
        {
            if ((word & value & 1) != 0)
            {
                throw new ModelViolation($"{world}: the entry for {translated:x} changed from {word:x} to {value:x} without a break");
            }

            Note(new Effect((value & 1) != 0 ? EffectKind.Make : EffectKind.Break, world, level, translated, -1));
            isVisible = true;
        }

        word = value;
        if (isVisible)
        {
            Note(new Effect(EffectKind.Pause, World.Linux, 0, 0, -1));
        }
    }

    private static void Note(Effect effect) => Trace.Add((effect, View.Of(Memory)));
}
