using System;
using System.Runtime.CompilerServices;

namespace Exclaves.SecureKernel;

/// <summary>What a capability names.</summary>
public enum CapabilityKind : byte
{
    None = 0,

    /// <summary>Object = component index.</summary>
    Endpoint = 1,

    /// <summary>Object = page number of the device.</summary>
    Device = 2,
    DmaAddress = 3,
    Downcall = 4,
    Counters = 5,
}

/// <summary>What its holder may do with the object.</summary>
[Flags]
public enum CapabilityRights : byte
{
    None = 0,
    Send = 1,
    Receive = 2,
    Map = 4,
    Use = 8,
}

/// <summary>One capability: a word that nobody outside this file takes apart.</summary>
/// <remarks>bits 3:0 kind | 11:4 rights | 27:12 generation | 55:28 object | 63:56 badge index. Zero grants nothing.</remarks>
public readonly struct Capability
{
    public const int KindShift = 0;
    public const int KindBits = 4;
    public const int RightsShift = KindShift + KindBits;
    public const int RightsBits = 8;
    public const int GenerationShift = RightsShift + RightsBits;
    public const int GenerationBits = 16;
    public const int ObjectShift = GenerationShift + GenerationBits;
    public const int ObjectBits = 28;
    public const int BadgeShift = ObjectShift + ObjectBits;
    public const int BadgeBits = 8;

    private readonly ulong _value;

    public Capability(ulong value) => _value = value;

    public ulong Value => _value;
    public CapabilityKind Kind => (CapabilityKind)Field(KindShift, KindBits);
    public CapabilityRights Rights => (CapabilityRights)Field(RightsShift, RightsBits);
    public uint Generation => (uint)Field(GenerationShift, GenerationBits);
    public ulong Object => Field(ObjectShift, ObjectBits);
    public int BadgeIndex => (int)Field(BadgeShift, BadgeBits);

    public static Capability Create(CapabilityKind kind, CapabilityRights rights, uint generation, ulong target, int badgeIndex) => new(
        Place((ulong)kind, KindShift, KindBits) | Place((ulong)rights, RightsShift, RightsBits)
        | Place(generation, GenerationShift, GenerationBits) | Place(target, ObjectShift, ObjectBits)
        | Place((ulong)badgeIndex, BadgeShift, BadgeBits));

    private ulong Field(int shift, int bits) => (_value >> shift) & ((1ul << bits) - 1);

    private static ulong Place(ulong value, int shift, int bits) => (value & ((1ul << bits) - 1)) << shift;
}

[InlineArray(Limits.Slots)]
public struct CapabilityWords
{
    private ulong _first;
}
