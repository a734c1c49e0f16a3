using System;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Hello;

/// <summary>Memory beyond the conclave's own: asked of Linux, filled, compared, given back.</summary>
internal static class HelloMemory
{
    /// <summary>Behind the addresses that the program itself uses.</summary>
    private const ulong Base = UserLayout.PrivateBase;
    private const ulong MaxPages = (UserLayout.PrivateEnd - Base) / UserLayout.PageBytes;
    private const int WordsPerPage = (int)(UserLayout.PageBytes / sizeof(ulong));

    /// <summary>Pages that are mapped and filled now.</summary>
    private static ulong _pages;

    public static uint Serve(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueIn || message.P1.Kind != ParameterKind.ValueOut)
        {
            return Tee.ErrorBadParameters;
        }

        switch ((HelloMemoryAction)message.P0.A)
        {
            case HelloMemoryAction.Fill when message.P0.B is > 0 and <= MaxPages:
                return Fill(message.P0.B, out message.P1.A, out message.P1.B);
            case HelloMemoryAction.Grow when message.P0.B > 0 && message.P0.B <= MaxPages - _pages:
                return Grow(message.P0.B, out message.P1.A);
            case HelloMemoryAction.Check:
                message.P1.A = Check();
                return Tee.Success;
            case HelloMemoryAction.Drop:
                return Unmap() && ServiceServer.ReturnMemory() == Status.Ok ? Tee.Success : Tee.ErrorGeneric;
            case HelloMemoryAction.Keep:
                return Unmap() ? Tee.Success : Tee.ErrorGeneric;
            default:
                return Tee.ErrorBadParameters;
        }
    }

    private static uint Fill(ulong pages, out ulong filled, out ulong donated)
    {
        filled = 0;
        donated = 0;
        if (_pages != 0)
        {
            return Tee.ErrorBadState;
        }

        // Where Linux has nothing that it can give, the conclave's own memory may do.
        ulong wanted = pages * UserLayout.PageBytes;
        while (donated < wanted)
        {
            ulong bytes = Math.Min(wanted - donated, Rpc.MaxMemoryBytes);
            if (ServiceServer.RequestMemory(bytes) != Status.Ok)
            {
                break;
            }

            donated += bytes;
        }

        if (SecureCalls.MapMemory(Base, pages, MemoryAccess.Read | MemoryAccess.Write) != Status.Ok)
        {
            // What cannot be given back now stays until Drop.
            _ = ServiceServer.ReturnMemory();
            return Tee.ErrorOutOfMemory;
        }

        filled = Write(pages);
        return filled != 0 ? Tee.Success : Tee.ErrorSecurity;
    }

    private static uint Grow(ulong pages, out ulong filled)
    {
        filled = 0;
        if (SecureCalls.MapMemory(Base + (_pages * UserLayout.PageBytes), pages, MemoryAccess.Read | MemoryAccess.Write) != Status.Ok)
        {
            return Tee.ErrorOutOfMemory;
        }

        filled = Write(pages);
        return filled != 0 ? Tee.Success : Tee.ErrorSecurity;
    }

    /// <summary>Fills pages that were mapped behind the others. 0: they were not zero.</summary>
    private static ulong Write(ulong pages)
    {
        int i = (int)_pages * WordsPerPage;
        _pages += pages;
        for (Span<ulong> words = Words(); i < words.Length; i++)
        {
            if (words[i] != 0)
            {
                return 0;
            }

            words[i] = HelloTransform.Word((ulong)i, i % WordsPerPage);
        }

        return pages;
    }

    /// <summary>Pages from the start on that hold what <see cref="Fill"/> wrote.</summary>
    private static ulong Check()
    {
        Span<ulong> words = Words();
        int good = 0;
        while (good < words.Length && words[good] == HelloTransform.Word((ulong)good, good % WordsPerPage))
        {
            good++;
        }

        return (ulong)(good / WordsPerPage);
    }

    private static bool Unmap()
    {
        if (_pages != 0 && SecureCalls.UnmapMemory(Base, _pages) != Status.Ok)
        {
            return false;
        }

        _pages = 0;
        return true;
    }

    // SAFETY: Fill has mapped the pages and nothing has unmapped them; nobody else names these addresses.
    private static unsafe Span<ulong> Words() => new((void*)Base, (int)_pages * WordsPerPage);
}
