namespace Exclaves.Sptm;

/// <summary>Registers of an SMMUv3, in bytes from its base, and their fields (Arm IHI 0070, 6.3).</summary>
internal static class SmmuRegister
{
    public const ulong Idr0 = 0x0;
    public const ulong Idr1 = 0x4;
    public const ulong Cr0 = 0x20;
    public const ulong Cr0Ack = 0x24;
    public const ulong Cr1 = 0x28;
    public const ulong Cr2 = 0x2C;
    public const ulong Gbpa = 0x44;
    public const ulong IrqCtrl = 0x50;
    public const ulong Gerror = 0x60;
    public const ulong GerrorN = 0x64;
    public const ulong StrtabBase = 0x80;
    public const ulong StrtabBaseCfg = 0x88;
    public const ulong CmdqBase = 0x90;
    public const ulong CmdqProd = 0x98;
    public const ulong CmdqCons = 0x9C;
    public const ulong EventqBase = 0xA0;
    public const ulong EventqProd = 0x1_00A8;
    public const ulong EventqCons = 0x1_00AC;

    public const uint Idr0Stage1 = 1 << 1;
    public const uint Idr0Aarch64 = 1 << 3;
    public const uint Idr0TwoLevel = 1 << 27;
    public const uint Idr1StreamBits = 0x3F;
    public const uint Idr1Preset = 3u << 29;

    public const uint Cr0Enable = 1 << 0;
    public const uint Cr0EventQueue = 1 << 2;
    public const uint Cr0CommandQueue = 1 << 3;

    /// <summary>Tables and queues: inner shareable, write-back.</summary>
    public const uint Cr1Cacheable = 0xD75;

    /// <summary>RECINVSID: unknown stream ids leave an event; PTM: broadcast TLBIs of CPUs do not concern the SMMU.</summary>
    public const uint Cr2Strict = (1 << 1) | (1 << 2);

    public const uint GbpaUpdate = 1u << 31;
    public const uint GbpaAbort = 1 << 20;
    public const uint GerrorCommandQueue = 1 << 0;
    public const uint GerrorEventQueueAbort = 1 << 2;
    public const uint StrtabTwoLevel = 1 << 16;

    /// <summary>Read-allocate hint of tables and the command queue, write-allocate of the event queue.</summary>
    public const ulong BaseAllocate = 1ul << 62;
}
