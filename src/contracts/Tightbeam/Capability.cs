namespace Exclaves.Tightbeam;

/// <summary>A capability that goes along with a message, named by its slot on this side.</summary>
/// <remarks>The number never travels; the message says that one goes along, and the kernel moves it. Slot 0 is none.</remarks>
public readonly struct Capability
{
    public Capability(uint slot) => Slot = slot;

    public uint Slot { get; }

    public bool IsNone => Slot == 0;
}
