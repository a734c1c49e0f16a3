using System;

namespace Exclaves.Kit;

/// <summary>Pages that SK shows the thread which serves a call.</summary>
internal static unsafe class LentMemory
{
    // SAFETY: SK maps the range until the thread answers, and ServiceCall has checked that it holds what is asked for. Whoever keeps the span longer faults, and ends its conclave.
    public static Span<byte> Span(ulong address, int bytes) => new((void*)address, bytes);
}
