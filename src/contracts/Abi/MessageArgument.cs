using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>struct optee_msg_arg without its parameters.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct MessageArgument
{
    public const int Bytes = 32;
    public const int SessionOffset = 8;
    public const int ResultOffset = 20;
    public const int CountOffset = 28;

    public MessageCommand Command;
    public uint Function;
    public uint Session;
    public uint CancelId;
    public uint Padding;
    public uint Result;
    public uint Origin;
    public uint ParameterCount;
}

/// <summary>Commands of Linux's driver (tee-abi 1.5).</summary>
public enum MessageCommand : uint
{
    OpenSession = 0,
    InvokeCommand = 1,
    CloseSession = 2,
    Cancel = 3,
    RegisterShm = 4,
    UnregisterShm = 5,

    /// <summary>The interrupt's thread lends its time to whoever can run and has no call that waits for it.</summary>
    DoBottomHalf = 6,

    /// <summary>The driver is about to go: what Linux gave comes back now.</summary>
    StopAsyncNotification = 7,
}

/// <summary>struct optee_msg_param.</summary>
/// <remarks>A, B, C = a value's a, b, c; a registered reference's offset, size, cookie; a temporary one's pointer, size, cookie.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct MessageParameter
{
    public const int Bytes = 32;
    public const int SizeOffset = 16;
    public const int ValueOffset = 8;

    public const ulong TypeMask = 0xFF;
    public const ulong Meta = 1 << 8;
    public const ulong NonContiguous = 1 << 9;

    public const uint ValueInput = 1;
    public const uint ValueOutput = 2;
    public const uint RegisteredInput = 5;
    public const uint RegisteredInOut = 7;
    public const uint TemporaryInput = 9;
    public const uint TemporaryOutput = 10;
    public const uint TemporaryInOut = 11;

    public ulong Attribute;
    public ulong A;
    public ulong B;
    public ulong C;
}
