using System;
using System.Threading;
using System.Threading.Tasks;

namespace Exclaves.Tightbeam;

/// <summary>Carries calls for threads that do not wait. Several may be under way.</summary>
public interface IAsyncTransport
{
    /// <summary>Sends a request; the answer is put into <paramref name="response"/>.</summary>
    /// <remarks>When the task is done, for whatever reason, the transport touches none of the memory any more.</remarks>
    /// <returns>Bytes of the answer.</returns>
    /// <exception cref="TightbeamException">No answer: the deadline passed, the other side ended.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    Task<int> CallAsync(ReadOnlyMemory<byte> request, Memory<byte> response, AsyncAttachments attachments, Deadline deadline, CancellationToken cancellationToken);
}
