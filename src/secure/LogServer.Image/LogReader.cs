using System;
using Exclaves.Abi;
using Exclaves.Interfaces;

namespace Exclaves.LogServer.Image;

/// <summary>No state: a reader says itself how far it has read, so one that stops costs nothing.</summary>
internal struct LogReader : ILog
{
    public readonly Status Read(ulong after, uint least, Span<byte> records, out int bytes, out ulong last, out ulong lost) =>
        LogMemory.Book.Read(after, (LogSeverity)least, records, out bytes, out last, out lost);
}
