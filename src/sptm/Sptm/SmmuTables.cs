using System;

namespace Exclaves.Sptm;

/// <summary>Everything the SMMU reads and writes in memory, in one piece: one closed entry for every stream, and the window.</summary>
/// <remarks>
/// Arm IHI 0070 (SMMUv3), 5.1 to 5.4. A requester chooses its stream id (a bus of PCI is numbered by Linux), so all 65,536 lead to the same
/// stream table entry: 1,024 level-1 descriptors share one page of 64 equal entries. Stage 1 is used because QEMU 7.2 has no stage 2 in its
/// SMMU. The tables follow from the frame table and never change afterwards, so nothing has to be invalidated later.
/// </remarks>
public static class SmmuTables
{
    /// <summary>Of the whole piece; its address must be a multiple of <see cref="Alignment"/>.</summary>
    public const ulong Bytes = 0x1_0000;

    /// <summary>A two-level stream table is aligned to the size of its first level.</summary>
    public const ulong Alignment = 0x2000;

    // Offsets of the parts in bytes.
    public const ulong StreamRoot = 0x0000;
    public const ulong StreamEntries = 0x2000;
    public const ulong Context = 0x3000;
    public const ulong EventQueue = 0x4000;
    public const ulong CommandQueue = 0x5000;
    public const ulong WindowRoot = 0x6000;
    public const ulong WindowBlocks = 0x7000;
    public const ulong WindowPages = 0x8000;

    public const int StreamBits = 16;

    /// <summary>Bits of the stream id that choose among the entries of a page (STRTAB_BASE_CFG.SPLIT).</summary>
    public const int SplitBits = 6;

    public const int EventQueueBits = 7;
    public const int EventWords = 4;
    public const int CommandQueueBits = 8;

    /// <summary>Commands that <see cref="TryBuild"/> leaves in the queue: forget all configuration, forget all translations, tell when done.</summary>
    public const uint CommandCount = 3;

    private const int StreamEntryWords = 8;
    private const int TableEntries = 512;
    private const ulong PageBytes = FrameTable.PageBytes;
    private const ulong BlockBytes = 0x20_0000;

    // Level-1 descriptor: Span = SplitBits + 1 means 2^SplitBits entries.
    private const ulong Span = SplitBits + 1;

    // Stream table entry: V, Config 0b101 (stage 1 translates, stage 2 does not exist), pointer to one context descriptor (S1CDMax 0).
    private const ulong StreamValidStage1 = 0xB;

    // Second word: context descriptors are cacheable and inner shareable; SHCFG "as the transaction says"; S1DSS 0 refuses substreams; EATS 0 refuses ATS.
    private const ulong StreamAttributes = (1ul << 2) | (1ul << 4) | (3ul << 6) | (1ul << 44);

    // Context descriptor: T0SZ 25, walks write-back inner shareable; EPD1; V; IPS 40 bits; AFFD; AA64; R (record faults); A (abort); ASET. S 0: never stall.
    private const ulong ContextFlags =
        25 | (1ul << 8) | (1ul << 10) | (3ul << 12) | (1ul << 30) | (1ul << 31) | (2ul << 32) | (1ul << 35) | (1ul << 41) | (1ul << 45) | (1ul << 46) | (1ul << 47);

    private const ulong NormalWriteBack = 0xFF;

    // Leaf: valid, attribute 0, privileged and unprivileged read and write, inner shareable, accessed, never executed.
    private const ulong LeafFlags = 1 | (1ul << 6) | (3ul << 8) | (1ul << 10) | (3ul << 53);
    private const ulong TableFlags = 3;
    private const ulong PageFlag = 2;

    private const ulong CommandForgetConfiguration = 0x04;
    private const ulong AllStreams = 31;
    private const ulong CommandForgetTranslations = 0x30;
    private const ulong CommandSync = 0x46;

    /// <summary>Writes tables and the start-up commands.</summary>
    /// <param name="memory">The piece, zeroed: <see cref="Bytes"/> / 8 words.</param>
    /// <param name="address">Its physical address.</param>
    /// <param name="frames">Complete: every frame of RAM has its type.</param>
    /// <returns>False when the window falls into more parts than there is room for.</returns>
    public static bool TryBuild(Span<ulong> memory, ulong address, in FrameTable frames)
    {
        BuildStreams(memory, address);
        BuildCommands(memory);
        return TryBuildWindow(memory, address, frames);
    }

    private static int Word(ulong offset) => (int)(offset / sizeof(ulong));

    private static void BuildStreams(Span<ulong> memory, ulong address)
    {
        for (int i = 0; i < 1 << (StreamBits - SplitBits); i++)
        {
            memory[Word(StreamRoot) + i] = (address + StreamEntries) | Span;
        }

        for (int i = 0; i < 1 << SplitBits; i++)
        {
            Span<ulong> entry = memory.Slice(Word(StreamEntries) + (i * StreamEntryWords), StreamEntryWords);
            entry[0] = (address + Context) | StreamValidStage1;
            entry[1] = StreamAttributes;
        }

        Span<ulong> context = memory[Word(Context)..];
        context[0] = ContextFlags;
        context[1] = address + WindowRoot;
        context[3] = NormalWriteBack;
    }

    private static void BuildCommands(Span<ulong> memory)
    {
        Span<ulong> queue = memory[Word(CommandQueue)..];
        queue[0] = CommandForgetConfiguration;
        queue[1] = AllStreams;
        queue[2] = CommandForgetTranslations;
        queue[4] = CommandSync;
    }

    private static bool TryBuildWindow(Span<ulong> memory, ulong address, in FrameTable frames)
    {
        memory[Word(WindowRoot) + (int)(DmaWindow.Base >> 30)] = (address + WindowBlocks) | TableFlags;
        ulong pages = WindowPages;
        for (int i = 0; i < TableEntries; i++)
        {
            ulong block = DmaWindow.Base + ((ulong)i * BlockBytes);
            int open = CountOpen(frames, block);
            ref ulong entry = ref memory[Word(WindowBlocks) + i];
            if (open == TableEntries)
            {
                entry = block | LeafFlags;
            }
            else if (open != 0)
            {
                if (pages == Bytes)
                {
                    return false;
                }

                BuildPages(memory.Slice(Word(pages), TableEntries), block, frames);
                entry = (address + pages) | TableFlags;
                pages += PageBytes;
            }
        }

        return true;
    }

    private static void BuildPages(Span<ulong> table, ulong block, in FrameTable frames)
    {
        for (int i = 0; i < table.Length; i++)
        {
            ulong page = block + ((ulong)i * PageBytes);
            table[i] = DmaWindow.Maps(frames.TypeOf(page)) ? page | LeafFlags | PageFlag : 0;
        }
    }

    private static int CountOpen(in FrameTable frames, ulong block)
    {
        int open = 0;
        for (ulong page = block; page < block + BlockBytes; page += PageBytes)
        {
            open += DmaWindow.Maps(frames.TypeOf(page)) ? 1 : 0;
        }

        return open;
    }
}
