using System;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.Client;
using Exclaves.Interfaces;
using Exclaves.Tightbeam;

namespace Exclaves.Guest;

/// <summary>Instructions per call, as a C program with a raw `ioctl` would see them.</summary>
/// <remarks>
/// Under `-icount shift=0` the virtual counter advances one nanosecond per executed instruction, whichever level executes it; it is read
/// in steps of 16. CLOCK_MONOTONIC_RAW is that counter without the kernel's slewing. Each figure is the smallest of many single
/// readings less the smallest reading of nothing.
/// </remarks>
internal static unsafe partial class Bench
{
    private const int ClockMonotonicRaw = 4;
    private const int NullReadings = 20_000;
    private const int SessionReadings = 5_000;
    private const int CalibrationLoops = 10_000_000;

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    private readonly record struct Figure(string Name, long Minimum, double Mean, string Aim, string Peer, string Unit = "instructions");

    public static int Run(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        double perLoop = Calibrate();
        long nothing = Nothing();

        Figure[] figures =
        [
            NullCall(device, ServiceName.Hello, "downcall.null.hello", nothing, "5200", "16864"),
            OpenClose(device, nothing),
            EncodeDecode(nothing),
        ];
        Console.Out.Write(json ? Json(figures) : Table(figures));

        // A loop of a subtraction and a branch: a whole number when instructions are counted, anything under plain emulation.
        bool counted = Math.Abs(perLoop - Math.Round(perLoop)) < 0.02 && perLoop is > 1.5 and < 8.5;
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"bench: counted loop {perLoop:f3} ns per round, empty reading {nothing} ns{(counted ? "" : ": NOT counting instructions, figures are nanoseconds")}"));
        return counted ? 0 : 1;
    }

    private static Figure NullCall(TeeDevice device, ServiceName service, string name, long nothing, string aim, string peer)
    {
        using TeeSession session = device.OpenSession(service);
        session.Invoke(0, "Null", []);

        int descriptor = device.Descriptor;
        InvokeBlock block = new() { Session = session.Number };

        // SAFETY: block and buffer are locals that outlive every call; without parameters the kernel touches the header alone.
        TeeBuffer buffer = new() { Address = (ulong)(&block), Bytes = InvokeBlock.HeaderBytes };
        long minimum = long.MaxValue;
        long begin = Now();
        for (int i = 0; i < NullReadings; i++)
        {
            long start = Now();
            int outcome = RawIoctl(descriptor, TeeRequest.Invoke, &buffer);
            long took = Now() - start;
            Check(outcome, block.Result, service);
            minimum = Math.Min(minimum, took);
        }

        return new Figure(name, minimum - nothing, (double)(Now() - begin) / NullReadings, aim, peer);
    }

    private static Figure OpenClose(TeeDevice device, long nothing)
    {
        int descriptor = device.Descriptor;
        OpenSessionBlock block = default;
        ServiceName service = ServiceName.Hello;
        _ = service.Uuid.TryWriteBytes(block.Service, bigEndian: true, out _);

        // SAFETY: as in NullCall.
        TeeBuffer buffer = new() { Address = (ulong)(&block), Bytes = OpenSessionBlock.HeaderBytes };
        long minimum = long.MaxValue;
        long begin = Now();
        for (int i = 0; i < SessionReadings; i++)
        {
            long start = Now();
            int opened = RawIoctl(descriptor, TeeRequest.OpenSession, &buffer);
            uint session = block.Session;
            int closed = RawIoctl(descriptor, TeeRequest.CloseSession, &session);
            long took = Now() - start;
            Check(opened | closed, block.Result, service);
            minimum = Math.Min(minimum, took);
        }

        return new Figure("session.open_close.hello", minimum - nothing, (double)(Now() - begin) / SessionReadings, "12000", "32656");
    }

    /// <summary>A call with four integers and 256 bytes: request written, read, served, answered, and the answer read, all in one process.</summary>
    private static Figure EncodeDecode(long nothing)
    {
        HelloClient<MemoryTransport> client = new(new MemoryTransport(new GuardedService<IHello, HelloDispatcher<IHello>>(new InProcessHello())));
        Span<byte> data = stackalloc byte[256];
        data.Fill(0x5A);
        long minimum = long.MaxValue;
        long begin = Now();
        for (int i = 0; i < NullReadings; i++)
        {
            long start = Now();
            Status status = client.Sum(1, 2, 3, 4, data, out ulong sum);
            long took = Now() - start;
            if (status != Status.Ok || sum != 266)
            {
                throw new InvalidOperationException("Tightbeam in one process gives a wrong answer.");
            }

            minimum = Math.Min(minimum, took);
        }

        return new Figure("tightbeam.encode_decode", minimum - nothing, (double)(Now() - begin) / NullReadings, "null", "null");
    }

    private static void Check(int outcome, uint result, ServiceName service)
    {
        if (outcome != 0 || result != 0)
        {
            throw TeeException.FromResult("measure calls of service", service.ToString(), new TeeResult(result, 0), opening: false);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Calibrate()
    {
        long start = Now();
        for (int i = CalibrationLoops; i != 0; i--)
        {
        }

        return (double)(Now() - start) / CalibrationLoops;
    }

    private static long Nothing()
    {
        long minimum = long.MaxValue;
        for (int i = 0; i < NullReadings; i++)
        {
            long start = Now();
            minimum = Math.Min(minimum, Now() - start);
        }

        return minimum;
    }

    private static long Now()
    {
        TimeSpec time;

        // SAFETY: the kernel writes one timespec into this local. The call is short and takes no locks of the runtime.
        _ = ClockGetTime(ClockMonotonicRaw, &time);
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static partial int ClockGetTime(int clock, TimeSpec* time);

    // The process has one busy thread and allocates nothing while it measures, so the collector has nothing to wait for.
    [LibraryImport("libc", EntryPoint = "ioctl")]
    [SuppressGCTransition]
    private static partial int RawIoctl(int descriptor, nuint request, void* argument);

    private static string Table(Figure[] figures)
    {
        StringBuilder text = new($"{"figure",-28} {"minimum",9} {"mean",11} {"aim",7} {"peer",7}\n");
        foreach (Figure figure in figures)
        {
            string aim = figure.Aim == "null" ? "-" : figure.Aim;
            string peer = figure.Peer == "null" ? "-" : figure.Peer;
            _ = text.Append(string.Create(CultureInfo.InvariantCulture, $"{figure.Name,-28} {figure.Minimum,9} {figure.Mean,11:f0} {aim,7} {peer,7}\n"));
        }

        return text.ToString();
    }

    private static string Json(Figure[] figures)
    {
        StringBuilder text = new("[");
        string separator = "\n";
        foreach (Figure figure in figures)
        {
            _ = text.Append($"{separator}  {{\"name\":\"{figure.Name}\",\"value\":{figure.Minimum},\"unit\":\"{figure.Unit}\",\"aim\":{figure.Aim},\"peer\":{figure.Peer}}}");
            separator = ",\n";
        }

        return text.Append("\n]\n").ToString();
    }
}
