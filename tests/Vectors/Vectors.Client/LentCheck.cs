using System;
using System.Globalization;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Vectors;

/// <summary>Pages of this process that a .NET conclave reads and writes in place (`lentBuffers` in system.json): more than a message holds, and wherever they lie on their pages.</summary>
internal static class LentCheck
{
    private const int Page = 4096;
    private const int MemoryBytes = 1 << 19;

    /// <summary>The last is half of what one call may lend: request and answer are lent, too.</summary>
    private static readonly (int From, int To, int Bytes)[] Pieces =
    [
        (0, Page, Page),
        (0, 2 * Page, Page + 1),
        (0, 5000, 5000), // Both have a part of the second page.
        (60 * Page, Page - 3, (17 * Page) + 11),
        (7, 256 * 1024, 250_000),
    ];

    /// <summary>So many callers at once: as many as the conclave has threads.</summary>
    private const int Callers = 4;

    public static int Run(ServiceName service)
    {
        int wrong = 0;
        Thread[] callers = [.. Enumerable.Range(0, Callers).Select(_ => new Thread(() => Interlocked.Add(ref wrong, Call(service))))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lent: {Callers} x {Pieces.Length} pieces read and written in place, {wrong} wrong"));
        return wrong == 0 ? 0 : 1;
    }

    /// <summary>How many pieces were not what they should be.</summary>
    private static int Call(ServiceName service)
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeTransport transport = TeeTransport.Open(device, service);
        using SharedMemory memory = SharedMemory.Register(device, MemoryBytes);
        VectorsClient<TeeTransport> client = new(transport);
        int wrong = 0;
        foreach ((int from, int to, int bytes) in Pieces)
        {
            Random.Shared.NextBytes(memory.Span);
            byte[] expected = memory.Span.ToArray();
            for (int i = 0; i < bytes; i++)
            {
                expected[to + i] = LentByte.Of(memory.Span[from + i], i);
            }

            Status status = client.Transform(memory.Lend(from, bytes), memory.Lend(to, bytes));
            wrong += status == Status.Ok && memory.Span.SequenceEqual(expected) ? 0 : 1;
        }

        return wrong + (client.Transform(memory.Lend(0, Page), memory.Lend(Page, Page + 1)) == Status.BadArgument ? 0 : 1);
    }
}
