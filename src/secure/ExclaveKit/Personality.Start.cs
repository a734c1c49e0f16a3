using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>The beginning: the main thread and its stack.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    /// <summary>Each thread's stack, and RLIMIT_STACK, from which the C library takes the size of new ones. Charged when made, backed on touch.</summary>
    private const ulong StackBytes = 0x8_0000;

    private const int ProgramHeaderBytes = 56;
    private const uint LoadSegment = 1;
    private const uint MaxCpus = 32;

    /// <summary>Pages of the quota that are not the program's: page tables, one for each 2 MiB in use, and this many besides, which hold SK's pages of 16 more threads.</summary>
    private const ulong ReservedPages = 64 + (16 * 7);
    private const ulong TableShare = 32;

    /// <summary>Prepares the program of <paramref name="info"/>; the live context is its first instruction afterwards.</summary>
    public void Start(in StartInfo info)
    {
        _state.Output = new LogLine { Level = LogSeverity.Information, Origin = LineOrigin.Program };
        _state.Errors = new LogLine { Level = LogSeverity.Error, Origin = LineOrigin.Program };
        _state.Notice = new LogLine { Level = LogSeverity.Warning, Origin = LineOrigin.Kit };
        _state.LastTid = KitState.ProcessId;
        _state.ThreadCount = 1;
        _state.ThreadSlots = 1;
        _state.CpuCount = info.CpuCount is > 0 and <= MaxCpus ? info.CpuCount : 1;
        _state.BreakStart = UserLayout.MmapBase;
        _state.BreakEnd = UserLayout.MmapBase;
        ulong quota = info.QuotaBytes >> Page.Shift;
        ulong reserved = ReservedPages + (quota / TableShare);
        _state.OwnPages = quota > reserved ? quota - reserved : 0;
        _state.CommitLimit = _state.OwnPages + (info.DonatedBytes >> Page.Shift);
        _state.Files[0].Kind = PseudoFileKind.Empty;
        _state.Files[1].Kind = PseudoFileKind.Log;
        _state.Files[2].Kind = PseudoFileKind.Log;
        _state.Files[2].Position = PseudoFile.ErrorOutput;
        AddSegments(in info);

        ulong stackEnd = UserLayout.MmapEnd - StackBytes;
        ulong stackStart = stackEnd - StackBytes;
        _state.StackStart = stackStart;
        _state.StackEnd = stackEnd;
        if (!TryInstall(stackStart, stackEnd, MemoryAccess.Read | MemoryAccess.Write)) { End("the quota does not hold a stack."u8, 1); }

        ref KitThread thread = ref Current;
        thread.State = ThreadState.Runnable;
        thread.Tid = KitState.ProcessId;
        thread.Deadline = Clock.Never;
        thread.AlternateStackFlags = AlternateStackDisabled;

        _live = default;
        _live.ProgramCounter = info.ProgramEntry;
        _live.StackPointer = BuildStack(in info, stackEnd);
    }

    /// <summary>Reads the program's headers: SK has mapped what they name.</summary>
    private void AddSegments(in StartInfo info)
    {
        Span<byte> header = stackalloc byte[ProgramHeaderBytes];
        for (ulong i = 0; i < info.ProgramHeaderCount; i++)
        {
            _machine.Read(info.ProgramHeaders + (i * ProgramHeaderBytes), header);
            if (MemoryMarshal.Read<uint>(header) != LoadSegment) { continue; }

            uint flags = MemoryMarshal.Read<uint>(header[4..]);
            ulong start = info.ProgramBase + MemoryMarshal.Read<ulong>(header[16..]);
            ulong bytes = MemoryMarshal.Read<ulong>(header[40..]);
            MemoryAccess access = MemoryAccess.Read | ((flags & 2) != 0 ? MemoryAccess.Write : MemoryAccess.None);
            if (!_state.Image.TryAdd(start, start + bytes, access)) { End("the program has too many segments."u8, 1); }
        }
    }

    private ulong BuildStack(in StartInfo info, ulong top)
    {
        Span<byte> random = stackalloc byte[16];
        if (!TryTakeRandom(random)) { End("the entropy service (slot 2) gives nothing."u8, 1); }

        // A limit makes the collector reserve little and fail early instead of late: half of the own memory and all of Linux's, in hexadecimal.
        Span<byte> environment = stackalloc byte[256];
        int length = 0;
        Append(environment, ref length, "DOTNET_GCHeapHardLimit="u8);
        AppendHex(environment, ref length, (_state.CommitLimit - (_state.OwnPages / 2)) * Page.Bytes);
        Append(environment, ref length, "\0DOTNET_gcConcurrent=0\0DOTNET_GCgen0size=40000\0MALLOC_ARENA_MAX=1\0MALLOC_TRIM_THRESHOLD_=131072\0"u8);

        ReadOnlySpan<byte> name = MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in info.Name, 1));
        int nameLength = name.IndexOf((byte)0);
        InitialStackContent content = new()
        {
            ProgramName = nameLength < 0 ? name : name[..nameLength],
            Environment = environment[..length],
            Random = random,
            ProgramHeaders = info.ProgramHeaders,
            ProgramHeaderCount = info.ProgramHeaderCount,
            ProgramEntry = info.ProgramEntry,
        };
        Span<byte> image = ((Span<byte>)_state.Scratch)[..InitialStack.MaxBytes];
        image.Clear();
        ulong stackPointer = InitialStack.Build(image, top, in content);
        if (!TryWrite(top - InitialStack.MaxBytes, image)) { End("the stack cannot be written."u8, 1); }

        return stackPointer;
    }

    private static void Append(Span<byte> text, ref int length, ReadOnlySpan<byte> more)
    {
        more.CopyTo(text[length..]);
        length += more.Length;
    }

    private static void AppendHex(Span<byte> text, ref int length, ulong value)
    {
        int digit = 60;
        while (digit > 0 && (value >> digit) == 0) { digit -= 4; }

        for (; digit >= 0; digit -= 4) { text[length++] = "0123456789ABCDEF"u8[(int)(value >> digit) & 15]; }
    }
}
