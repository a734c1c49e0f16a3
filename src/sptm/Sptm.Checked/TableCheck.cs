using System;
using Exclaves.Abi;

namespace Exclaves.Sptm.Image;

/// <summary>Walks all tables of the machine as hardware does and compares them with the frame table (I1 to I4).</summary>
/// <remarks>Decodes descriptors by itself: what it shares with the code that makes them are the tables of types alone.</remarks>
public ref struct TableCheck<TMachine>
    where TMachine : struct, IStage2Machine
{
    private const ulong Page = FrameTable.PageBytes;
    private const ulong AddressMask = 0x0000_FFFF_FFFF_F000;

    // Stage 2: S2AP read and write, XN, MemAttr. Stage 1 of EL2: AP[2] read only, XN, AttrIndx.
    private const int AccessShift = 6;
    private const ulong ExecuteNever2 = 3ul << 53;
    private const ulong NormalWriteBack = 0xFul << 2;
    private const ulong ReadOnly1 = 1ul << 7;
    private const ulong ExecuteNever1 = 1ul << 54;
    private const ulong DeviceIndex1 = 1ul << 2;

    private readonly FrameTable _frames;
    private readonly ulong _ramEnd;
    private readonly int _cpuCount;
    private bool _isLinux;

    public TableCheck(FrameTable frames, ulong ramBytes, int cpuCount)
    {
        _frames = frames;
        _ramEnd = Virt.RamBase + ramBytes;
        _cpuCount = cpuCount;
    }

    /// <summary>Valid descriptors seen.</summary>
    public ulong Entries { get; private set; }

    /// <summary>The first difference; empty when there is none.</summary>
    public ReadOnlySpan<byte> Rule { get; private set; }

    /// <summary>Where it is: an address that is translated, or a frame.</summary>
    public ulong Address { get; private set; }

    /// <summary>The descriptor, or what the frame table has.</summary>
    public ulong Value { get; private set; }

    /// <summary>Every frame has a type, and counts that fit it.</summary>
    public bool CheckFrames()
    {
        for (ulong address = Virt.RamBase; address < _ramEnd; address += Page)
        {
            FrameEntry frame = _frames.Entry(address);
            bool isXnu = frame.Type is FrameType.XnuDefault or FrameType.SkSharedRw;
            bool isLent = frame.Type is FrameType.SkDonated or FrameType.SkSharedRo;
            ReadOnlySpan<byte> rule = frame.Type is FrameType.Unknown or FrameType.XnuIo or FrameType.SkIo || (int)frame.Type >= FrameRules.TypeCount ? "a frame has no type"u8
                : frame.Type != FrameType.SptmPageTable && (frame.BorrowCount != 0) != (frame.Type == FrameType.SkSharedRw) ? "type and borrow count of a frame differ"u8
                : frame.ArgumentCount != 0 && !isXnu ? "a request names a frame that is not Linux's"u8
                : isLent && DmaWindow.Contains(address) ? "a donated frame lies where devices reach"u8
                : default;
            if (!rule.IsEmpty)
            {
                return Fail(rule, address, (ulong)frame.Type | ((ulong)frame.BorrowCount << 16) | ((ulong)frame.ArgumentCount << 8));
            }
        }

        return true;
    }

    /// <summary>One world's stage 2: every frame exactly as its type says, and devices of that world.</summary>
    public bool CheckStage2(ulong root, bool isLinux)
    {
        _isLinux = isLinux;
        return CheckTable2(root, 1, 0);
    }

    /// <summary>Whether nothing is mapped at all: what a panic leaves to the secure world.</summary>
    public readonly bool IsEmpty(ulong root)
    {
        for (ulong i = 0; i < 1024; i++)
        {
            if (TMachine.ReadEntry(root + (i * 8)) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The one frame at <paramref name="address"/> in one world's stage 2.</summary>
    public bool CheckFrame(ulong root, bool isLinux, ulong address)
    {
        _isLinux = isLinux;
        ulong table = root;
        for (int level = 1; ; level++)
        {
            ulong index = (address >> Shift(level)) & (level == 1 ? 0x3FFul : 0x1FF);
            ulong descriptor = TMachine.ReadEntry(table + (index * 8));
            if (level == 3 || (descriptor & 3) != 3)
            {
                return CheckLeaf2(descriptor, address >> Shift(level) << Shift(level), address & ~(Page - 1), Page);
            }

            table = descriptor & AddressMask;
        }
    }

    /// <summary>The SMMU's tables: one closed entry for all streams, and behind it nothing but memory of Linux (I4).</summary>
    public bool CheckSmmu(ulong tables)
    {
        const ulong StreamWords = 8;
        for (ulong i = 0; i < 1u << (SmmuTables.StreamBits - SmmuTables.SplitBits); i++)
        {
            ulong descriptor = TMachine.ReadEntry(tables + SmmuTables.StreamRoot + (i * 8));
            if (descriptor != ((tables + SmmuTables.StreamEntries) | (SmmuTables.SplitBits + 1)))
            {
                return Fail("a range of streams leads elsewhere"u8, i, descriptor);
            }
        }

        for (ulong i = 0; i < (1u << SmmuTables.SplitBits) * StreamWords; i++)
        {
            ulong word = TMachine.ReadEntry(tables + SmmuTables.StreamEntries + (i * 8));
            ulong wanted = i % StreamWords == 0 ? (tables + SmmuTables.Context) | 0xB : TMachine.ReadEntry(tables + SmmuTables.StreamEntries + (i % StreamWords * 8));
            if (word != wanted)
            {
                return Fail("a stream has an entry of its own"u8, i / StreamWords, word);
            }
        }

        ulong root = TMachine.ReadEntry(tables + SmmuTables.Context + 8);
        return root == tables + SmmuTables.WindowRoot
            ? CheckWindow(tables, root, 1, 0)
            : Fail("the streams' context has another table"u8, 0, root);
    }

    /// <summary>The monitor's own translation: nothing writable and executable, its text and constants never writable, page zero not there (I3).</summary>
    public bool CheckOwn(ulong root, ulong textStart, ulong textEnd) => CheckTable1(root, 1, 0, textStart, textEnd);

    private static int Shift(int level) => 39 - (9 * level);

    private bool CheckTable2(ulong table, int level, ulong start)
    {
        uint deviations = 0;
        for (ulong i = 0; i < (level == 1 ? 1024u : 512); i++)
        {
            ulong address = start + (i << Shift(level));
            ulong descriptor = TMachine.ReadEntry(table + (i * 8));
            if (level < 3 && (descriptor & 3) == 3)
            {
                ulong next = descriptor & AddressMask;
                Entries++;
                deviations++;
                if (_frames.TypeOf(next) != FrameType.SptmPageTable)
                {
                    return Fail("a stage-2 table lies in a frame of another type"u8, address, descriptor);
                }

                if (!CheckTable2(next, level + 1, address))
                {
                    return false;
                }

                continue;
            }

            Entries += descriptor & 1;
            deviations += IsAtHome(descriptor, address) ? 0u : 1;
            if (!CheckLeaf2(descriptor, address, address, 1ul << Shift(level)))
            {
                return false;
            }
        }

        return level == 1 || (deviations != 0 && deviations == TMachine.Deviations(table))
            || Fail("a stage-2 table counts its entries wrong, or should be a block"u8, start, TMachine.Deviations(table));
    }

    /// <summary>Whether the entry is as a block of Linux's memory has it.</summary>
    private readonly bool IsAtHome(ulong descriptor, ulong address) =>
        _isLinux ? (descriptor & 1) != 0 && (descriptor & AddressMask) == address && AccessOf(descriptor) == FrameAccess.All && (descriptor & NormalWriteBack) == NormalWriteBack
            : (descriptor & 1) == 0;

    private static FrameAccess AccessOf(ulong descriptor) => (descriptor & 1) == 0 ? FrameAccess.None
        : (FrameAccess)((descriptor >> AccessShift) & 3) | ((descriptor & ExecuteNever2) == 0 ? FrameAccess.Execute : FrameAccess.None);

    /// <param name="start">First address that the descriptor translates.</param>
    /// <param name="from">First that is asked for; <paramref name="bytes"/> from there on.</param>
    private bool CheckLeaf2(ulong descriptor, ulong start, ulong from, ulong bytes)
    {
        FrameAccess access = AccessOf(descriptor);
        if (!_isLinux && (access & (FrameAccess.Write | FrameAccess.Execute)) == (FrameAccess.Write | FrameAccess.Execute))
        {
            return Fail("SK may write and execute"u8, start, descriptor);
        }

        if (access != FrameAccess.None && (descriptor & AddressMask) != start)
        {
            return Fail("stage 2 is no identity"u8, start, descriptor);
        }

        ulong end = from + bytes;
        if (end <= Virt.RamBase || from >= _ramEnd)
        {
            return access == FrameAccess.None || (IsDevice(from, bytes) && access == FrameAccess.ReadWrite && (descriptor & NormalWriteBack) == 1ul << 2)
                || Fail("stage 2 maps what is neither memory nor a device of this world"u8, start, descriptor);
        }

        ulong last = end < _ramEnd ? end : _ramEnd;
        for (ulong address = from < Virt.RamBase ? Virt.RamBase : from; address < last; address += Page)
        {
            FrameType type = _frames.Entry(address).Type;
            if ((_isLinux ? FrameRules.LinuxAccess(type) : FrameRules.SkAccess(type)) != access)
            {
                return Fail(_isLinux ? "Linux's stage 2 and the type of a frame differ"u8 : "SK's stage 2 and the type of a frame differ"u8, address, descriptor);
            }
        }

        return access == FrameAccess.None || (end <= _ramEnd && (descriptor & NormalWriteBack) == NormalWriteBack)
            || Fail("memory is mapped as a device, or beyond its end"u8, start, descriptor);
    }

    private readonly bool IsDevice(ulong start, ulong bytes)
    {
        ReadOnlySpan<ulong> ranges = _isLinux ? DeviceMap.Linux : DeviceMap.Secure;
        for (int i = 0; i < ranges.Length; i += 2)
        {
            if (start >= ranges[i] && start + bytes <= ranges[i] + ranges[i + 1])
            {
                return true;
            }
        }

        return _isLinux && start >= Virt.GicRedistributor && start + bytes <= Virt.GicRedistributor + ((ulong)_cpuCount * Virt.GicRedistributorStride)
            && !DeviceMap.IsRedistributorFrame(start, _cpuCount, out _);
    }

    private bool CheckWindow(ulong tables, ulong table, int level, ulong start)
    {
        for (ulong i = 0; i < 512; i++)
        {
            ulong address = start + (i << Shift(level));
            ulong descriptor = TMachine.ReadEntry(table + (i * 8));
            if ((descriptor & 1) == 0)
            {
                continue;
            }

            Entries++;
            if (level < 3 && (descriptor & 2) != 0)
            {
                ulong next = descriptor & AddressMask;
                if (next - tables >= SmmuTables.Bytes)
                {
                    return Fail("a table of the SMMU lies elsewhere"u8, address, descriptor);
                }

                if (!CheckWindow(tables, next, level + 1, address))
                {
                    return false;
                }

                continue;
            }

            if ((descriptor & AddressMask) != address || (descriptor & ExecuteNever2) != ExecuteNever2)
            {
                return Fail("the window is no identity, or executable"u8, address, descriptor);
            }

            for (ulong page = address; page < address + (1ul << Shift(level)); page += Page)
            {
                if (!DmaWindow.Contains(page) || FrameRules.LinuxAccess(_frames.TypeOf(page)) != FrameAccess.All)
                {
                    return Fail("devices reach what is not Linux's memory"u8, page, descriptor);
                }
            }
        }

        return true;
    }

    private bool CheckTable1(ulong table, int level, ulong start, ulong textStart, ulong textEnd)
    {
        for (ulong i = 0; i < 512; i++)
        {
            ulong address = start + (i << Shift(level));
            ulong descriptor = TMachine.ReadEntry(table + (i * 8));
            if ((descriptor & 1) == 0)
            {
                continue;
            }

            Entries++;
            if (level < 3 && (descriptor & 2) != 0)
            {
                if (!CheckTable1(descriptor & AddressMask, level + 1, address, textStart, textEnd))
                {
                    return false;
                }

                continue;
            }

            bool isRam = address >= Virt.RamBase && address < Virt.RamBase + 0x1_4000_0000;
            bool isCode = _frames.TypeOf(address) == FrameType.SptmCode;
            bool isWritable = (descriptor & ReadOnly1) == 0;
            bool isExecutable = (descriptor & ExecuteNever1) == 0;
            bool isText = address >= textStart && address + (1ul << Shift(level)) <= textEnd;
            ReadOnlySpan<byte> rule = address == 0 || (descriptor & AddressMask) != address ? "the monitor's translation is no identity, or maps page zero"u8
                : isExecutable != isText ? "the monitor's text and what it may execute differ"u8
                : isWritable && (isExecutable || isCode) ? "the monitor may write its text or constants"u8
                : !isRam && (descriptor & DeviceIndex1) == 0 ? "the monitor maps a device as memory"u8
                : default;
            if (!rule.IsEmpty)
            {
                return Fail(rule, address, descriptor);
            }
        }

        return true;
    }

    private bool Fail(ReadOnlySpan<byte> rule, ulong address, ulong value)
    {
        Rule = rule;
        Address = address;
        Value = value;
        return false;
    }
}
