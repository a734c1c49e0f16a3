using System;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>Memory that Linux gives to Hello: given, used, compared, returned; the counters say where it is.</summary>
internal static class Donate
{
    private const string Hello = "Hello";

    /// <summary>One step, and what the counters say after it.</summary>
    public static int Step(HelloMemoryAction action, int pages)
    {
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        (ulong good, ulong donated) = hello.Memory(action, (ulong)pages);
        using StatisticsClient statistics = StatisticsClient.Open(device);
        SystemCounters counters = statistics.Counters();
        ComponentStatus status = statistics.Components().Single(c => c.Name == Hello).Status;
        Console.Out.WriteLine(
            $"donate {action}: pages {good}, given {donated >> 12}, held {status.DonatedBytes >> 12} at 0x{status.DonatedBase:x}, "
            + $"frames {counters[SptmCounter.DonatedFrames]}, runs {counters[SkCounter.DonatedRuns]}, allocations {counters[ProxyCounter.Allocations]}, "
            + $"refused {counters[SptmCounter.RefusedRetype]}");
        return action is HelloMemoryAction.Drop or HelloMemoryAction.Keep || good == (ulong)pages ? 0 : 1;
    }

    /// <summary>Hello takes page after page, in calls that ask Linux for nothing.</summary>
    public static int Grow(int pages)
    {
        const int PagesPerCall = 32;
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        for (int grown = 0; grown < pages; grown += PagesPerCall)
        {
            _ = hello.Memory(HelloMemoryAction.Grow, (ulong)Math.Min(PagesPerCall, pages - grown));
        }

        return Step(HelloMemoryAction.Check, pages);
    }

    /// <summary>Rounds of give, fill, compare, return; after each one everything is where it was.</summary>
    public static int Run(int rounds, int pages)
    {
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        using StatisticsClient statistics = StatisticsClient.Open(device);
        hello.Null();
        SystemCounters before = statistics.Counters();
        for (int round = 1; round <= rounds; round++)
        {
            (ulong filled, ulong donated) = hello.Memory(HelloMemoryAction.Fill, (ulong)pages);
            ulong frames = statistics.Counters()[SptmCounter.DonatedFrames] - before[SptmCounter.DonatedFrames];
            (ulong good, _) = hello.Memory(HelloMemoryAction.Check);
            _ = hello.Memory(HelloMemoryAction.Drop);
            hello.Null();
            SystemCounters after = statistics.Counters();
            bool back = after[SptmCounter.DonatedFrames] == before[SptmCounter.DonatedFrames]
                && after[SkCounter.DonatedRuns] == before[SkCounter.DonatedRuns]
                && after[ProxyCounter.Allocations] == before[ProxyCounter.Allocations];

            // Page tables of the carve-out that the first round made go with its pages.
            bool sound = filled == (ulong)pages && good == filled && donated == frames << 12 && frames >= filled
                && after[SkCounter.FramesInUse] == before[SkCounter.FramesInUse];
            if (!back || !sound)
            {
                Console.Out.WriteLine(
                    $"donate: round {round}: filled {filled}, good {good}, given {donated >> 12}, frames {frames}; "
                    + $"afterwards frames {after[SptmCounter.DonatedFrames]}, runs {after[SkCounter.DonatedRuns]}, allocations {after[ProxyCounter.Allocations]}, "
                    + $"own frames {after[SkCounter.FramesInUse]} instead of {before[SkCounter.FramesInUse]}");
                return 1;
            }
        }

        SystemCounters end = statistics.Counters();
        Console.Out.WriteLine(
            $"donate: {rounds} rounds of {pages} pages, all back; retypes refused {end[SptmCounter.RefusedRetype] - before[SptmCounter.RefusedRetype]}, "
            + $"bad replies {end[ProxyCounter.BadReplies] - before[ProxyCounter.BadReplies]}");
        return 0;
    }
}
