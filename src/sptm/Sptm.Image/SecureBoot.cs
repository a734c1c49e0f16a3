using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Machine;
using Checks = Exclaves.Sptm.ImageJudge<Exclaves.Sptm.Image.ImageMemory, Exclaves.Sptm.Image.MachineSha256>;
using Copies = Exclaves.Sptm.BootCopies<Exclaves.Sptm.Image.ImageMemory, Exclaves.Sptm.Image.MachineSha256>;

namespace Exclaves.Sptm.Image;

/// <summary>Wires secure boot to this machine: measures, runs TXM once, acts on its answer. What is right, ImageJudge knows.</summary>
/// <remarks>All of it happens on the boot CPU, before SK and Linux run an instruction: nobody can change what was measured.</remarks>
public static unsafe class SecureBoot
{
    /// <summary>Room for <see cref="Refusal.Format"/>.</summary>
    public const int MaximumReason = 128;

    private const ushort TxmVmid = 3;

    private const ulong Page = FrameTable.PageBytes;

    /// <summary>The last page of TXM's slot.</summary>
    private const ulong Request = Virt.TxmBase + Virt.TxmSlotBytes - Page;

    private static MeasurementLog _log;

    /// <summary>A production key has signed what runs.</summary>
    public static bool IsProduction => _log.Signer == SignerKind.Production;
    private static Refusal _refusal;
    private static Stage2<Stage2Machine> _tables;

    public static bool IsRefused => Protections.VerifiedImage && _refusal.IsRefused;

    // SAFETY: the linker put the slot there (entry.S), and the monitor maps its own text.
    private static ref readonly TrustRoot Root => ref *(TrustRoot*)(Virt.SptmBase + TrustRoot.Offset);

    /// <summary>The first thing that C# does here: the monitor's own bytes, as they were loaded.</summary>
    /// <param name="slotBits">Not zero: the loaded image was not zero where bss lies.</param>
    public static void MeasureMonitor(ulong slotBits)
    {
        Checks.Measure(ref _log, PartKind.Sptm, Virt.SptmBase, El2.DataEnd() - Virt.SptmBase);
        ulong end = El2.ImageEnd();
        if (slotBits != 0 || !ManifestCheck.IsZero(ImageMemory.At(end, Virt.SptmBase + Virt.SptmSlotBytes - end)))
        {
            _refusal = Refusal.Of(RefusalReason.SlotRemainder);
        }
    }

    public static bool TryPlan(out ImageHeader header, out ImagePlan plan, out ReadOnlySpan<byte> rule) =>
        Copies.TryChoose(Monitor.Description.RamBytes, out header, out plan, out rule);

    /// <summary>Linux's command line: what was signed, or the copy that is whole.</summary>
    public static ReadOnlySpan<byte> BootArguments(in ImageHeader header) => Copies.BootArguments(header);

    /// <summary>Names the zeroed memory of TXM's level-1 tables.</summary>
    public static void PlaceTables(ulong root) => _tables = new Stage2<Stage2Machine>(root, TxmVmid, FrameAccess.None);

    /// <summary>Types the manifest's place and TXM's slot.</summary>
    public static void Claim(in FrameTable frames)
    {
        Boot.Claim(frames, Virt.ManifestBase, Virt.ManifestBytes, FrameType.TxmRo);

        // A root that is not filled in has no TXM to run either, and CheckTxm says so.
        ulong text = Root.TxmTextPages is > 0 and < 16 ? Root.TxmTextPages * Page : Page;
        ulong constants = Root.TxmRodataPages is > 0 and < 8 ? Root.TxmRodataPages * Page : Page;
        Boot.Claim(frames, Virt.TxmBase, text, FrameType.TxmCode);
        Boot.Claim(frames, Virt.TxmBase + text, constants, FrameType.TxmRo);
        Boot.Claim(frames, Virt.TxmBase + text + constants, Virt.TxmSlotBytes - text - constants - Page, FrameType.TxmDefault);
        Boot.Claim(frames, Request, Page, FrameType.TxmRo);
    }

    /// <summary>Measures TXM and starts it; or goes on without an answer when it is not the one that SPTM knows.</summary>
    public static TrapFrame* Begin(PerCpu* cpu)
    {
        if (!_refusal.IsRefused)
        {
            _refusal = Checks.CheckTxm(Root, ref _log);
        }

        if (_refusal.IsRefused)
        {
            Clean(cpu);
            return Boot.Continue();
        }

        MapFrames();
        WriteRequest();
        WorldState world = default;
        world[(int)WorldRegister.SctlrEl1] = WorldValues.SctlrReset;
        world[(int)WorldRegister.CpacrEl1] = WorldValues.CpacrTxm;
        world[(int)WorldRegister.SpEl0] = Request;
        world[(int)WorldRegister.VttbrEl2] = _tables.TranslationBase;
        world[(int)WorldRegister.MdcrEl2] = WorldValues.MdcrSecure;
        world[(int)WorldRegister.HcrEl2] = WorldValues.HcrTxm;
        El2.LoadWorld(0, ref world);
        Watchdog.Start();
        cpu->World = World.Txm;
        cpu->Secure = default;
        cpu->Secure.X[0] = Request;
        cpu->Secure.ProgramCounter = Virt.TxmBase;
        cpu->Secure.ProcessorState = WorldValues.TxmState;
        cpu->Frame = &cpu->Secure;
        return cpu->Frame;
    }

    /// <summary>An exception while TXM runs: its one call, or the end of its only chance.</summary>
    public static TrapFrame* Take(PerCpu* cpu, ulong vector)
    {
        Watchdog.Stop();
        ref TrapFrame frame = ref cpu->Secure;
        Syndrome syndrome = new(frame.Syndrome);
        if (vector == 0 && syndrome.Class == ExceptionClass.Svc64 && syndrome.Immediate == 0 && frame.X[16] == Txm.VerdictCall)
        {
            // SAFETY: x1 to x4, side by side in the frame that the vectors saved, are the four words of a digest.
            _refusal = Checks.CheckVerdict((TxmVerdict)frame.X[0], *(Digest*)((ulong*)&cpu->Secure.X + 1), ref _log);
        }
        else
        {
            _refusal = Refusal.Of(vector == 0 ? RefusalReason.TxmFault : RefusalReason.TxmTimeout);
            ReportFault(frame, vector);
        }

        Clean(cpu);
        return Boot.Continue();
    }

    /// <summary>The parts, by the manifest that TXM vouched for; the verdict's line on the console.</summary>
    /// <returns>Whether the secure world may start.</returns>
    public static bool Judge(in ImageHeader header)
    {
        if (!_refusal.IsRefused)
        {
            _refusal = Checks.CheckParts(header, Root.Flags, ref _log);
        }

        LineBuilder line = new(stackalloc byte[160]);
        line.Append("SPTM: secure boot: "u8);
        if (_refusal.IsRefused)
        {
            _refusal.Format(ref line);
            Boot.Stage(line.Text);
            return !Protections.VerifiedImage;
        }

        Checks.Measure(ref _log, PartKind.Kernel, Monitor.Plan.KernelBase, header.KernelBytes);
        Checks.Measure(ref _log, PartKind.Initramfs, Monitor.Plan.InitramfsBase, header.InitramfsBytes);
        line.AppendDecimal(_log.EntryCount);
        line.Append(_log.Signer == SignerKind.Debug ? " measurements, debug signer, log "u8 : " measurements, production signer, log "u8);
        ReadOnlySpan<byte> extended = _log.Extended;
        for (int i = 0; i < extended.Length; i++)
        {
            line.AppendByte(extended[i]);
        }

        Boot.Stage(line.Text);
        return true;
    }

    /// <summary>Why there is no secure world; empty when there is one.</summary>
    public static ReadOnlySpan<byte> Reason(Span<byte> buffer)
    {
        LineBuilder line = new(buffer);
        if (IsRefused)
        {
            _refusal.Format(ref line);
        }

        return line.Text;
    }

    /// <summary>Hands the log over: <paramref name="address"/> is a page of its own that SK may read.</summary>
    public static void WriteLog(ulong address)
    {
        // SAFETY: BuildFrameTable claimed MeasurementLog.Bytes there, and nobody else runs yet.
        *(MeasurementLog*)address = _log;
    }

    private static void MapFrames()
    {
        FrameTable frames = Monitor.Frames;
        for (ulong address = Virt.ManifestBase; address < Virt.TablesBase; address += Page)
        {
            FrameAccess access = FrameRules.TxmAccess(frames.TypeOf(address));
            if (_tables.SetRange(ref Monitor.Tables, address, Page, access, device: false) != Status.Ok)
            {
                Boot.Stop("stage-2 tables do not fit their pool"u8);
            }
        }

        Arm64.DsbIsh();
        Arm64.IcIalluis();
        Arm64.Isb();
    }

    private static void WriteRequest()
    {
        // SAFETY: the last page of TXM's slot, measured as zeros; TXM does not run yet.
        ref TxmRequest request = ref *(TxmRequest*)Request;
        request.Magic = TxmRequest.MagicValue;
        request.Manifest = Virt.ManifestBase;
        request.Flags = Root.Flags;
        request.Production = Root.Production;
        request.Debug = Root.Debug;
        request.Cookie = Monitor.Description.Seed1 ^ Arm64.ReadCntpctEl0();
    }

    /// <summary>Nothing of TXM stays: its frames are zeros and the monitor's, its translations are gone.</summary>
    private static void Clean(PerCpu* cpu)
    {
        cpu->Secure = default;
        Boot.Clear(Virt.TxmBase, Virt.TxmSlotBytes);
        FrameTable frames = Monitor.Frames;
        for (ulong address = Virt.TxmBase; address < Virt.TablesBase; address += Page)
        {
            frames.Entry(address).Type = FrameType.SptmData;
        }

        Arm64.TlbiAlle1();
        Arm64.DsbNsh();
        Arm64.Isb();
    }

    private static void ReportFault(in TrapFrame frame, ulong vector)
    {
        LineBuilder line = new(stackalloc byte[160]);
        line.Append("TXM: vector "u8);
        line.AppendDecimal(vector);
        line.Append(" esr "u8);
        line.AppendHex(frame.Syndrome);
        line.Append(" pc "u8);
        line.AppendHex(frame.ProgramCounter);
        line.Append(" far "u8);
        line.AppendHex(El2.ReadFarEl2());
        Boot.Stage(line.Text);
    }
}
