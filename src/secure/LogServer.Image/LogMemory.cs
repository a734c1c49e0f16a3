using System;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.LogServer.Image;

/// <summary>The book's slots, in pages of its own, and what this component learns of the system when it starts.</summary>
internal static unsafe class LogMemory
{
    private const int Slots = 1024;
    private const ulong Base = UserLayout.PrivateBase;

    private static LogState _state;

    // SAFETY: Map puts the pages there before anything is read or written; the address is not a constant of a reference.
    public static LogBook Book => new(ref _state, new Span<LogRecord>((void*)Base, Slots));

    public static Status Map()
    {
        ulong pages = ((Slots * (ulong)sizeof(LogRecord)) + UserLayout.PageBytes - 1) / UserLayout.PageBytes;

        // SAFETY: a component that is the log has the measurement log mapped for its whole life (image tool, SK).
        MeasurementLog* measured = (MeasurementLog*)UserLayout.Measurements;
        _state.Redacts = measured->Magic != MeasurementLog.MagicValue || measured->Signer != SignerKind.Debug;
        LearnNames();
        return SecureCalls.MapMemory(Base, pages, MemoryAccess.Read | MemoryAccess.Write);
    }

    /// <summary>The table of components does not change while the machine runs.</summary>
    private static void LearnNames()
    {
        for (uint i = 0; i < LogState.MaxSources && SecureCalls.ComponentInfo(i, out _) == Status.Ok; i++)
        {
            Span<byte> name = _state.Sources[(int)i].Name;
            IpcPage.Only.Body.Slice(0, name.Length).CopyTo(name);
        }
    }
}
