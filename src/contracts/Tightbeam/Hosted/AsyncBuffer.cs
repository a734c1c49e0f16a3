using System;

namespace Exclaves.Tightbeam;

/// <summary>One of <see cref="AsyncAttachments"/>.</summary>
public readonly struct AsyncBuffer
{
    internal AsyncBuffer(SharedAccess access, ReadOnlyMemory<byte> input, Memory<byte> output)
    {
        Access = access;
        Input = input;
        Output = output;
    }

    public SharedAccess Access { get; }

    /// <summary>What the service reads.</summary>
    public ReadOnlyMemory<byte> Input { get; }

    /// <summary>What the service writes.</summary>
    public Memory<byte> Output { get; }

    public int Length => Access == SharedAccess.Write ? Output.Length : Input.Length;
}
