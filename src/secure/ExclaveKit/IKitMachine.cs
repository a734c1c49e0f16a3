using System;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>What the personality asks of SK and the processor. The image implements it by system calls, tests by a model.</summary>
/// <remarks>Addresses of the program are plain numbers here: only <see cref="Read"/> and <see cref="Write"/> touch its memory.</remarks>
public interface IKitMachine : IKitWaits
{
    /// <summary>Virtual counter, and its ticks per second.</summary>
    ulong Counter { get; }

    ulong CounterFrequency { get; }

    /// <summary>Pages of Linux's memory that the conclave has: SK knows.</summary>
    ulong DonatedPages { get; }

    /// <summary>Address of `mov x8, #139; svc #0` in executable memory: where signal handlers return to.</summary>
    ulong SignalReturn { get; }

    /// <summary>Address of a function for the program that makes a call of SK.</summary>
    ulong CallEntry { get; }

    /// <summary>A thread's page through which messages go: a <see cref="MessageHeader"/> and the body.</summary>
    Span<byte> MessagePage(int thread);

    ulong MessagePageAddress(int thread);

    /// <summary>What a thread goes on with when it leaves the handler. Nobody but the handler's own thread touches it while the thread is outside.</summary>
    ref UserContext Context(int thread);

    /// <summary>Starts a thread, which enters the personality first of all. Answers its number, -1 when there is none left.</summary>
    int StartThread();

    /// <summary>The calling thread ends.</summary>
    void ExitThread();

    /// <summary>A thread that is outside of the handler enters it; its wait for a message, or for a sibling, ends.</summary>
    void Kick(int thread);

    /// <summary>Returns when every thread of the conclave has been in SK since.</summary>
    void Barrier();

    /// <summary>Backs pages that have no frame with zeroed ones. All or nothing.</summary>
    Status Map(ulong address, ulong pages, MemoryAccess access);

    /// <summary>Gives the frames of these pages back; all have one.</summary>
    void Unmap(ulong address, ulong pages);

    Status Protect(ulong address, ulong pages, MemoryAccess access);

    /// <summary>Copies program memory that the caller knows to be there.</summary>
    void Read(ulong address, Span<byte> destination);

    void Write(ulong address, ReadOnlySpan<byte> source);

    /// <summary>As <see cref="SecureCall.Call"/>, with the calling thread's message page.</summary>
    Status Call(uint slot);

    /// <summary>As <see cref="Call"/>, without an answer.</summary>
    Status Send(uint slot);

    /// <summary>The turn is given up.</summary>
    void Yield();

    /// <summary>One line of the console, at most <see cref="LogLine.Capacity"/> bytes.</summary>
    void Log(ReadOnlySpan<byte> line);

    /// <summary>The conclave ends. Does not return in the image.</summary>
    void Exit(ulong code);

    /// <summary>The same, where the program stands in <paramref name="program"/>: SK reports that, and not us.</summary>
    void Exit(ulong code, ref UserContext program);
}
