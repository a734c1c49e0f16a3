using System;
using System.Threading.Tasks;
using Exclaves.Abi;

namespace Exclaves.Development;

/// <summary>A message on its way through the loop, and its answer in the same place.</summary>
internal sealed class Exchange
{
    public byte[] Message { get; } = new byte[MessageHeader.Bytes + MessageHeader.MaxBodyBytes];

    public int Bytes { get; set; }

    /// <summary>False: the loop has ended without an answer.</summary>
    public TaskCompletionSource<bool> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Span<byte> Body => Message.AsSpan(MessageHeader.Bytes);
}
