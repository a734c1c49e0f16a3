using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

[InlineArray(KitState.ScratchBytes)]
public struct ScratchBytes
{
    private byte _first;
}

[InlineArray(KitState.RandomBytes)]
public struct RandomBytes
{
    private byte _first;
}

[InlineArray((int)KitStatistic.Count)]
public struct StatisticTable
{
    private ulong _first;
}

/// <summary>Everything the personality remembers. Zero is a conclave that has not begun.</summary>
/// <remarks>One instance in the image, guarded by its <see cref="Lock"/>; each test makes its own.</remarks>
public struct KitState
{
    public const int MaxThreads = 64;
    public const int ScratchBytes = 8192;
    public const int RandomBytes = 512;

    /// <summary>The conclave is the only process there is.</summary>
    public const uint ProcessId = 1;

    /// <summary>Linux's name for the main thread's number.</summary>
    public const int MainThread = 0;

    public RegionMap Regions;
    public ResidentMap Resident;
    public ThreadTable Threads;
    public SignalActionTable Actions;
    public PseudoFileTable Files;
    public PipeTable Pipes;
    public ImageMap Image;

    /// <summary>Lines of the program's standard output and error, and our own about it.</summary>
    public LogLine Output;
    public LogLine Errors;
    public LogLine Notice;

    /// <summary>The system has no LogServer, or none for this conclave: lines go to the console.</summary>
    public bool HasNoLog;
    public StatisticTable Statistics;

    public int ThreadCount;

    /// <summary>Slots of <see cref="Threads"/> that were ever in use: searches end here.</summary>
    public int ThreadSlots;
    public uint LastTid;
    public ulong WaitSequence;

    public KitLock Lock;

    /// <summary>CPUs that threads of the conclave may run on at once.</summary>
    public uint CpuCount;

    /// <summary>Pages that may be charged in all: the quota's, and those that Linux may be asked for.</summary>
    public ulong CommitLimit;

    /// <summary>Of <see cref="CommitLimit"/>, what is there without asking Linux.</summary>
    public ulong OwnPages;

    public ulong CommittedPages;

    /// <summary>The last memory that the program asked for was more than it may have.</summary>
    public bool QuotaRefused;
    public ulong BreakStart;
    public ulong BreakEnd;

    /// <summary>The main thread's stack, for /proc/self/maps.</summary>
    public ulong StackStart;
    public ulong StackEnd;

    public RandomBytes Random;

    /// <summary>Bytes of <see cref="Random"/> that nobody has been given.</summary>
    public int RandomLeft;

    public ScratchBytes Scratch;

    /// <summary><see cref="AbsentThing"/>s that were reported: a bit for each.</summary>
    public uint ReportedAbsent;

    /// <summary>Unknown calls that were reported: bit = number modulo 512.</summary>
    public ReportedCalls Reported;
}

[InlineArray(8)]
public struct ReportedCalls
{
    private ulong _first;
}
