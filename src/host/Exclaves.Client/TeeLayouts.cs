using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Client;

/// <summary>Request numbers of the TEE device (include/uapi/linux/tee.h).</summary>
internal static class TeeRequest
{
    public const uint Version = 0x800C_A400;
    public const uint ShmAlloc = 0xC010_A401;
    public const uint OpenSession = 0x8010_A402;
    public const uint Invoke = 0x8010_A403;
    public const uint CloseSession = 0x8004_A405;
    public const uint ShmRegister = 0xC018_A409;
}

/// <summary>Answer to <see cref="TeeRequest.Version"/>.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct TeeVersion
{
    public const uint OpTee = 1;
    public const uint RegisteredMemory = 1 << 2;

    public uint Implementation;
    public uint ImplementationCapabilities;
    public uint Capabilities;
}

/// <summary>Where a variable-length request lies.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct TeeBuffer
{
    public ulong Address;
    public ulong Bytes;
}

/// <summary>16 bytes of UUID in RFC 4122 network order.</summary>
[InlineArray(16)]
internal struct UuidBytes
{
    private byte _first;
}

[InlineArray(TeeSession.MaxParameters)]
internal struct ParameterBlock
{
    private TeeParameter _first;
}

[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct OpenSessionBlock
{
    public const int HeaderBytes = 56;

    public UuidBytes Service;
    public UuidBytes Client;
    public uint Login;
    public uint CancelId;
    public uint Session;
    public uint Result;
    public uint Origin;
    public uint ParameterCount;
    public ParameterBlock Parameters;
}

[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct InvokeBlock
{
    public const int HeaderBytes = 24;

    public uint Operation;
    public uint Session;
    public uint CancelId;
    public uint Result;
    public uint Origin;
    public uint ParameterCount;
    public ParameterBlock Parameters;
}

[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct ShmAllocBlock
{
    public ulong Bytes;
    public uint Flags;
    public int Id;
}

[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct ShmRegisterBlock
{
    public ulong Address;
    public ulong Bytes;
    public uint Flags;
    public int Id;
}
