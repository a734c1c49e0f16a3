using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>What the initial stack tells the program.</summary>
public ref struct InitialStackContent
{
    /// <summary>argv[0], without a terminator.</summary>
    public ReadOnlySpan<byte> ProgramName;

    /// <summary>NAME=value, each with a terminator, one behind the other.</summary>
    public ReadOnlySpan<byte> Environment;

    /// <summary>AT_RANDOM: 16 bytes.</summary>
    public ReadOnlySpan<byte> Random;
    public ulong ProgramHeaders;
    public ulong ProgramHeaderCount;
    public ulong ProgramEntry;
}

/// <summary>Builds what Linux puts on the stack of a new program: argc, argv, envp, auxv, and the strings they point to.</summary>
public static class InitialStack
{
    /// <summary>The whole of it fits here.</summary>
    public const int MaxBytes = 4096;

    private const ulong ProgramHeaderBytes = 56;

    /// <summary>FP, ASIMD, AES, PMULL, SHA1, SHA2, CRC32, ATOMICS: what every CPU we run on has. Without CPUID (bit 11): nobody emulates MRS of the
    /// identification registers here.</summary>
    private const ulong HardwareCapabilities = 0x1FB;
    private const ulong ClockTicks = 100;

    private enum Auxiliary : ulong
    {
        Null = 0,
        ProgramHeaders = 3,
        ProgramHeaderBytes = 4,
        ProgramHeaderCount = 5,
        PageBytes = 6,
        Base = 7,
        Flags = 8,
        Entry = 9,
        Uid = 11,
        Euid = 12,
        Gid = 13,
        Egid = 14,
        Platform = 15,
        HardwareCapabilities = 16,
        ClockTicks = 17,
        Secure = 23,
        Random = 25,
        HardwareCapabilities2 = 26,
        ExecutableName = 31,
    }

    /// <summary>Fills the end of <paramref name="memory"/>, which the program will see end at <paramref name="top"/>.</summary>
    /// <returns>The initial stack pointer: 16-byte aligned, at argc.</returns>
    public static ulong Build(Span<byte> memory, ulong top, in InitialStackContent content)
    {
        Builder builder = new(memory, top);

        // Strings first, at the high end.
        ulong platform = builder.PushString("aarch64"u8);
        ulong name = builder.PushString(content.ProgramName);
        ulong random = builder.PushBytes(content.Random);
        ulong environment = builder.PushBytes(content.Environment);
        builder.AlignDown(16);

        int variables = CountStrings(content.Environment);
        const int AuxiliaryCount = 19;
        int words = 1 + 2 + variables + 1 + (AuxiliaryCount * 2);
        builder.PadFor(words);

        // From the end to the start, because the stack grows that way.
        builder.Push(Auxiliary.Null, 0);
        builder.Push(Auxiliary.ExecutableName, name);
        builder.Push(Auxiliary.HardwareCapabilities2, 0);
        builder.Push(Auxiliary.Random, random);
        builder.Push(Auxiliary.Secure, 0);
        builder.Push(Auxiliary.ClockTicks, ClockTicks);
        builder.Push(Auxiliary.HardwareCapabilities, HardwareCapabilities);
        builder.Push(Auxiliary.Platform, platform);
        builder.Push(Auxiliary.Egid, 0);
        builder.Push(Auxiliary.Gid, 0);
        builder.Push(Auxiliary.Euid, 0);
        builder.Push(Auxiliary.Uid, 0);
        builder.Push(Auxiliary.Entry, content.ProgramEntry);
        builder.Push(Auxiliary.Flags, 0);
        builder.Push(Auxiliary.Base, 0);
        builder.Push(Auxiliary.PageBytes, Page.Bytes);
        builder.Push(Auxiliary.ProgramHeaderCount, content.ProgramHeaderCount);
        builder.Push(Auxiliary.ProgramHeaderBytes, ProgramHeaderBytes);
        builder.Push(Auxiliary.ProgramHeaders, content.ProgramHeaders);

        builder.PushWord(0);
        PushPointers(ref builder, content.Environment, environment);
        builder.PushWord(0);
        builder.PushWord(name);
        return builder.PushWord(1);
    }

    private static int CountStrings(ReadOnlySpan<byte> strings)
    {
        int count = 0;
        foreach (byte character in strings) { count += character == 0 ? 1 : 0; }

        return count;
    }

    /// <summary>Pushes the address of each string, the last one first.</summary>
    private static void PushPointers(ref Builder builder, ReadOnlySpan<byte> strings, ulong address)
    {
        for (int i = strings.Length - 1; i >= 0; i--)
        {
            if (i == 0 || strings[i - 1] == 0) { builder.PushWord(address + (ulong)i); }
        }
    }

    private ref struct Builder
    {
        private readonly Span<byte> _memory;
        private readonly ulong _top;
        private int _used;

        public Builder(Span<byte> memory, ulong top)
        {
            _memory = memory;
            _top = top;
            _used = 0;
        }

        public ulong PushBytes(ReadOnlySpan<byte> bytes)
        {
            _used += bytes.Length;
            bytes.CopyTo(_memory[^_used..]);
            return _top - (ulong)_used;
        }

        public ulong PushString(ReadOnlySpan<byte> text)
        {
            _used++;
            _memory[^_used] = 0;
            return PushBytes(text);
        }

        public void AlignDown(int alignment) => _used = (_used + alignment - 1) & -alignment;

        /// <summary>After <paramref name="words"/> more words the stack pointer is a multiple of 16.</summary>
        public void PadFor(int words) => _used += (words & 1) * 8;

        public void Push(Auxiliary type, ulong value)
        {
            PushWord(value);
            PushWord((ulong)type);
        }

        public ulong PushWord(ulong value)
        {
            _used += 8;
            BinaryPrimitives.WriteUInt64LittleEndian(_memory[^_used..], value);
            return _top - (ulong)_used;
        }
    }
}
