using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Interfaces;

/// <summary>The log of the secure world: to read, for nobody can write or empty it from outside.</summary>
[Tightbeam(id: 0x4C4F_4753, version: 1)]
public interface ILog
{
    /// <summary>The next records, oldest first, as many as fit.</summary>
    /// <param name="after">Sequence number up to which the caller has read; 0: from the oldest on; <see cref="ulong.MaxValue"/>: only to hear in <paramref name="last"/> where the log ends.</param>
    /// <param name="least">The <see cref="LogSeverity"/> from which on records are wanted.</param>
    /// <param name="records"><see cref="LogEntry"/>s.</param>
    /// <param name="last">Up to here it has been read now; <paramref name="after"/> when there is nothing new.</param>
    /// <param name="lost">Records between the two that were dropped, of whatever level.</param>
    /// <returns><see cref="Status.TooBig"/> when not even one record fits.</returns>
    [Op(1, Idempotent = true)]
    Status Read(ulong after, uint least, [Max(3072)] Span<byte> records, [LengthOf(nameof(records))] out int bytes, out ulong last, out ulong lost);
}
