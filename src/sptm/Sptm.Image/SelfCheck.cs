namespace Exclaves.Sptm.Image;

/// <summary>Where the monitor for tests looks at itself: nothing happens here. `Sptm.Checked` has its own copy of this class.</summary>
public static class SelfCheck
{
    /// <summary>A descriptor is about to be written.</summary>
    public static void Write(ulong entry, ulong value)
    {
    }

    /// <summary>TLBI for one IPA, and DSB, are done for the VMID of <paramref name="vttbr"/>.</summary>
    public static void Invalidated(ulong vttbr, ulong ipa)
    {
    }

    /// <summary>TLBI for a whole VMID, and DSB, are done.</summary>
    public static void InvalidatedAll(ulong vttbr)
    {
    }

    /// <summary>A frame is about to be overwritten for a new owner.</summary>
    public static void Clear(ulong frame)
    {
    }

    /// <summary>The frame at <paramref name="address"/> was retyped, borrowed or returned; the stage-2 lock is held.</summary>
    public static void Changed(ulong address)
    {
    }

    /// <summary>Everything stands, and no lower level has run.</summary>
    public static void Booted()
    {
    }

    /// <summary>The report of a panic is written, and this CPU still makes it.</summary>
    public static void Reporting()
    {
    }

    /// <summary>The machine ends; nothing is scrubbed yet.</summary>
    public static void Ending()
    {
    }
}
