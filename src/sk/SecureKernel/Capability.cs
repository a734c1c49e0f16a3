using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What a capability names.</summary>
public enum CapabilityKind : byte
{
    None = 0,
    Endpoint = 1,

    /// <summary>Object = physical address of the device's page.</summary>
    Device = 2,

    /// <summary>The three that name no object; they are their holder's own and go to nobody else.</summary>
    DmaAddress = 3,
    Downcall = 4,
    Counters = 5,
    Untyped = 6,
    Frame = 7,
    Table = 8,
    Notification = 9,
    Reply = 10,

    /// <summary>Object = <see cref="Component"/> index, in steps of <see cref="Capability.ObjectBytes"/>.</summary>
    Component = 11,

    /// <summary>Object = INTID, in steps of <see cref="Capability.ObjectBytes"/>.</summary>
    Interrupt = 12,

    /// <summary>ExclaveKit's pages of the image; how many bytes is in the slot.</summary>
    Kit = 13,
}

/// <summary>One capability: a word that nobody outside this file takes apart. Zero grants nothing.</summary>
/// <remarks>bits 3:0 kind | 9:4 rights | 10 revoking | 11 closed | 15:12 depth | 21:16 log2 of the object's bytes | 22 original | 23 declared | 63:24 object, in units of <see cref="ObjectBytes"/>.</remarks>
public readonly struct Capability
{
    public const int KindShift = 0;
    public const int KindBits = 4;
    public const int RightsShift = KindShift + KindBits;
    public const int RightsBits = 6;
    public const int RevokingShift = RightsShift + RightsBits;
    public const int RevokingBits = 1;
    public const int ClosedShift = RevokingShift + RevokingBits;
    public const int ClosedBits = 1;
    public const int DepthShift = ClosedShift + ClosedBits;
    public const int DepthBits = 4;
    public const int SizeShift = DepthShift + DepthBits;
    public const int SizeBits = 6;
    public const int OriginalShift = SizeShift + SizeBits;
    public const int OriginalBits = 1;
    public const int DeclaredShift = OriginalShift + OriginalBits;
    public const int DeclaredBits = 1;
    public const int ObjectShift = DeclaredShift + DeclaredBits;
    public const int ObjectBits = 40;

    /// <summary>Objects lie at multiples of this.</summary>
    public const ulong ObjectBytes = 32;

    /// <summary>Derivations of derivations, at most: the way to a capability without descendants is short.</summary>
    public const int MaxDepth = (1 << DepthBits) - 1;

    private readonly ulong _value;

    public Capability(ulong value) => _value = value;

    public ulong Value => _value;
    public CapabilityKind Kind => (CapabilityKind)Field(KindShift, KindBits);
    public CapabilityRights Rights => (CapabilityRights)Field(RightsShift, RightsBits);

    /// <summary>How many derivations lie between it and the capability that boot made.</summary>
    public int Depth => (int)Field(DepthShift, DepthBits);
    public int SizeLog2 => (int)Field(SizeShift, SizeBits);

    /// <summary>What was derived from it is being taken away: nothing more is derived.</summary>
    public bool IsRevoking => Field(RevokingShift, RevokingBits) != 0;

    /// <summary>The same of one that it was derived from, so that it will go itself unless boot made it.</summary>
    public bool IsClosed => Field(ClosedShift, ClosedBits) != 0;

    /// <summary>Something may be derived from it, or made of it.</summary>
    public bool IsOpen => !IsRevoking && !IsClosed;

    /// <summary>The object lives as long as this capability.</summary>
    public bool IsOriginal => Field(OriginalShift, OriginalBits) != 0;

    /// <summary>Boot made it, for as long as the machine runs.</summary>
    public bool IsDeclared => Field(DeclaredShift, DeclaredBits) != 0;

    /// <summary>Physical address of the object.</summary>
    public ulong Object => Field(ObjectShift, ObjectBits) * ObjectBytes;

    public static Capability Create(CapabilityKind kind, CapabilityRights rights, ulong target, int sizeLog2 = 0, bool original = false, int depth = 0, bool declared = false) => new(
        Place((ulong)kind, KindShift, KindBits) | Place((ulong)rights, RightsShift, RightsBits) | Place((ulong)depth, DepthShift, DepthBits)
        | Place((ulong)sizeLog2, SizeShift, SizeBits) | Place(original ? 1ul : 0, OriginalShift, OriginalBits)
        | Place(declared ? 1ul : 0, DeclaredShift, DeclaredBits)
        | Place(target / ObjectBytes, ObjectShift, ObjectBits));

    /// <summary>What a derivation from it may do: never more.</summary>
    public Capability Derive(CapabilityRights rights) => Create(Kind, Rights & rights, Object, SizeLog2, original: false, Depth + 1);

    public Capability WithRevoking(bool value) => With(value, RevokingShift);

    public Capability WithClosed(bool value) => With(value, ClosedShift);

    private Capability With(bool value, int shift) => new(value ? _value | (1ul << shift) : _value & ~(1ul << shift));

    private ulong Field(int shift, int bits) => (_value >> shift) & ((1ul << bits) - 1);

    private static ulong Place(ulong value, int shift, int bits) => (value & ((1ul << bits) - 1)) << shift;
}

/// <summary>Where a capability lies: the word, what goes with it, and its neighbours in the order of derivation.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CapabilitySlot
{
    public const ulong Bytes = 32;

    public ulong Word;

    /// <summary>Endpoint, notification: the badge, 0 = none yet. Untyped: bytes from its start that are given out. Kit: its bytes. Frame: <see cref="FrameMapping"/>.</summary>
    public ulong Badge;

    /// <summary>Physical addresses of slots; 0 ends the list.</summary>
    public ulong Previous;
    public ulong Next;

    public readonly Capability Capability => new(Word);
    public readonly bool IsEmpty => Word == 0;
}

/// <summary>Where a frame capability has its frame mapped. Zero: nowhere.</summary>
/// <remarks>bits 47:12 VA | 63:48 1 + component index.</remarks>
public readonly struct FrameMapping
{
    private const int ComponentShift = 48;

    private readonly ulong _value;

    public FrameMapping(ulong value) => _value = value;

    public ulong Value => _value;
    public bool IsNone => _value == 0;
    public ulong Address => _value & ((1ul << ComponentShift) - 1);
    public int Component => (int)(_value >> ComponentShift) - 1;

    public static FrameMapping Create(int component, ulong address) => new(((ulong)(component + 1) << ComponentShift) | address);
}
