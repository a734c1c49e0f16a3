using System;
using System.Runtime;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>From the firmware's device tree to SK's first instruction, once; and the start of every other CPU.</summary>
/// <remarks>Order matters: nothing of a lower level runs before the frame table is complete and both translations follow from it.</remarks>
public static unsafe class Boot
{
    public const ushort LinuxVmid = 1;
    public const ushort SecureVmid = 2;

    private const ulong Page = FrameTable.PageBytes;
    private const ulong Block = 0x20_0000;

    /// <summary>Room for the firmware's tree (QEMU's is 1 MiB) and for ours in its place.</summary>
    private const uint MaximumDeviceTree = 0x20_0000;

    private static ulong _bootInfo;
    private static ulong _measurementLog;
    private static ulong _startTicks;
    private static ulong _deviceTree;

    /// <summary>First free address of the pool.</summary>
    private static ulong _free;

    /// <summary>The copy of the image's header that the machine is laid out by.</summary>
    private static ImageHeader _header;

    /// <summary>Boot CPU, MMU on. Answers with the frame to run: TXM's first instruction.</summary>
    /// <param name="slotBits">Not zero: the image had something where the monitor's bss is.</param>
    [RuntimeExport("sptm_boot")]
    public static TrapFrame* Start(ulong deviceTree, ulong slotBits)
    {
        if (!Arm64.HasSha256())
        {
            Stop("the CPU has no SHA-256 instructions"u8);
        }

        SecureBoot.MeasureMonitor(slotBits);
        _startTicks = Arm64.ReadCntpctEl0();
        Console.Start();
        Stage("SPTM: the monitor of Exclaves runs at EL2"u8);
        Identification.Find(Monitor.Cpu(0));
        if (El2.RegisterCount() != (ulong)WorldRegister.Count)
        {
            Stop("worldregs.h and WorldRegister.cs differ"u8);
        }

        _deviceTree = deviceTree;
        ReadDeviceTree(deviceTree);
        if (!SecureBoot.TryPlan(out _header, out Monitor.Plan, out ReadOnlySpan<byte> rule))
        {
            Stop(rule);
        }

        ulong treeEnd = deviceTree + MaximumDeviceTree;
        if (deviceTree < Monitor.Plan.PoolBase + Monitor.Plan.PoolBytes && treeEnd > Monitor.Plan.PoolBase)
        {
            Stop("the device tree lies where the secure pool must be: give the machine more memory"u8);
        }

        _free = PlacePool();
        BuildFrameTable();
        return SecureBoot.Begin(Monitor.Cpu(0));
    }

    /// <summary>TXM has answered, or could not be asked. Answers with the frame to run: SK's first instruction, or Linux's.</summary>
    public static TrapFrame* Continue()
    {
        bool isSecure = SecureBoot.Judge(_header);
        Monitor.Policy = _header.Policy;
        if (isSecure)
        {
            ClaimSecureKernel(_header);
            ClaimComponents(Monitor.Frames, _header);
        }
        else
        {
            Claim(Monitor.Frames, Virt.SkBase, Virt.SkSlotBytes, FrameType.SptmData);
        }

        Monitor.Frames.ClaimRestForLinux();
        BuildStage2();
        CloseDevices();
        EditDeviceTree(ReadDeviceTree(_deviceTree), _deviceTree, _header, _free);
        WriteBootInfo(_free);
        PrepareCpus();
        SelfCheck.Booted();

        PerCpu* cpu = Monitor.Cpu(0);
        cpu->Power = (uint)CpuPower.On;
        cpu->LinuxEntry = Monitor.Plan.KernelBase;
        cpu->LinuxContext = _deviceTree;
        if (!isSecure)
        {
            Monitor.Count(cpu, SptmCounter.RefusedImage);
            Monitor.CloseSecure();
            Stage("SPTM: no secure world; Linux starts without it"u8);
            return StartLinux(cpu, firstWorld: true);
        }

        Stage("SPTM: frame table and stage 2 stand; starting SK"u8);
        return EnterFirst(cpu, _bootInfo);
    }

    /// <summary>Another CPU, after Linux's CPU_ON.</summary>
    [RuntimeExport("sptm_secondary")]
    public static TrapFrame* StartSecondary(PerCpu* cpu)
    {
        Identification.Find(cpu);
        ResetWorlds(cpu);
        Volatile.Write(ref cpu->Power, (uint)CpuPower.On);
        return Monitor.IsSecureOpen ? EnterFirst(cpu, 0) : StartLinux(cpu, firstWorld: true);
    }

    /// <summary>SK has set itself up on this CPU (or cannot): Linux begins here.</summary>
    /// <param name="firstWorld">SK was not entered: there is no world to save.</param>
    public static TrapFrame* StartLinux(PerCpu* cpu, bool firstWorld)
    {
        if (firstWorld)
        {
            El2.LoadWorld(0, ref cpu->LinuxWorld);
        }
        else
        {
            El2.SwitchWorld(ref cpu->SecureWorld, ref cpu->LinuxWorld);
        }

        cpu->World = World.Linux;
        cpu->Linux = default;
        cpu->Linux.X[0] = cpu->LinuxContext;
        cpu->Linux.ProgramCounter = cpu->LinuxEntry;
        cpu->Linux.ProcessorState = WorldValues.EntryState;
        cpu->Frame = &cpu->Linux;
        if (cpu->Number == 0 && cpu->LinuxEntry == Monitor.Plan.KernelBase)
        {
            Stage("SPTM: starting Linux"u8);
            Console.HandToLinux();
        }

        return cpu->Frame;
    }

    /// <summary>Sets the registers of both worlds of a CPU to where they start.</summary>
    public static void ResetWorlds(PerCpu* cpu)
    {
        cpu->LinuxWorld = default;
        cpu->LinuxWorld[(int)WorldRegister.SctlrEl1] = WorldValues.SctlrReset;
        cpu->LinuxWorld[(int)WorldRegister.VttbrEl2] = Monitor.LinuxTables.TranslationBase;
        cpu->LinuxWorld[(int)WorldRegister.MdcrEl2] = WorldValues.MdcrLinux | Identification.Mdcr(cpu->Features);
        cpu->LinuxWorld[(int)WorldRegister.CnthctlEl2] = WorldValues.CnthctlLinux;
        cpu->LinuxWorld[(int)WorldRegister.HcrEl2] = WorldValues.HcrLinux | CpuFeatures.Hcr(cpu->Features);

        cpu->SecureWorld = default;
        cpu->SecureWorld[(int)WorldRegister.SctlrEl1] = WorldValues.SctlrReset;
        cpu->SecureWorld[(int)WorldRegister.VttbrEl2] = Monitor.SecureTables.TranslationBase;
        cpu->SecureWorld[(int)WorldRegister.MdcrEl2] = (Protections.WorldDebug ? WorldValues.MdcrSecure : WorldValues.MdcrLinux) | Identification.Mdcr(cpu->Features);
        cpu->SecureWorld[(int)WorldRegister.CnthctlEl2] = WorldValues.CnthctlSecure | CpuFeatures.CnthctlSecure(cpu->Features);
        cpu->SecureWorld[(int)WorldRegister.IchHcrEl2] = WorldValues.IchHcrSecure;
        cpu->SecureWorld[(int)WorldRegister.HcrEl2] = WorldValues.HcrSecure | CpuFeatures.Hcr(cpu->Features);
    }

    /// <summary>A line with the time since the monitor's first instruction.</summary>
    public static void Stage(scoped ReadOnlySpan<byte> text)
    {
        ulong frequency = Arm64.ReadCntfrqEl0();
        ulong microseconds = (Arm64.ReadCntpctEl0() - _startTicks) * 1_000_000 / (frequency == 0 ? 1 : frequency);
        LineBuilder line = new(stackalloc byte[160]);
        line.Append("["u8);
        line.AppendDecimal(microseconds / 1_000_000);
        line.Append("."u8);
        line.AppendDecimal(microseconds % 1_000_000, 6);
        line.Append("] "u8);
        line.Append(text);
        Console.Line(line.Text);
    }

    private static Span<byte> ReadDeviceTree(ulong address)
    {
        if ((address & 7) != 0 || address < Virt.RamBase || address >= Virt.RamBase + 0x1_0000_0000)
        {
            Stop("the firmware passed no device tree"u8);
        }

        // SAFETY: RAM is mapped from Virt.RamBase for 4 GiB; the reader trusts no offset beyond the span.
        Span<byte> tree = new((void*)address, (int)MaximumDeviceTree);
        if (!MachineDescription.TryRead(tree, out Monitor.Description, out ReadOnlySpan<byte> rule))
        {
            Stop(rule);
        }

        return tree;
    }

    /// <summary>Zeroes the pool (RAM survives a reset) and lays frame table and stage-2 tables at its start. Answers the first free address.</summary>
    private static ulong PlacePool()
    {
        ulong next = Monitor.Plan.PoolBase;

        // SAFETY: TryPlan has placed the pool inside RAM, after the image.
        Clear(next, Monitor.Plan.PoolBytes);
        ulong frameCount = Monitor.Description.RamBytes >> FrameTable.PageShift;
        Monitor.PlaceFrameTable(next, (int)frameCount);
        next += ImageCheck.RoundUp(frameCount * 4);

        next = (next + SmmuTables.Alignment - 1) & ~(SmmuTables.Alignment - 1);
        Smmu.Place(next);
        next += SmmuTables.Bytes;
        next = (next + Stage2<Stage2Machine>.RootBytes - 1) & ~(Stage2<Stage2Machine>.RootBytes - 1);
        Monitor.LinuxTables = new Stage2<Stage2Machine>(next, LinuxVmid, FrameRules.LinuxAccess(FrameType.XnuDefault));
        next += Stage2<Stage2Machine>.RootBytes;
        Monitor.SecureTables = new Stage2<Stage2Machine>(next, SecureVmid, FrameRules.SkAccess(FrameType.XnuDefault));
        next += Stage2<Stage2Machine>.RootBytes;
        SecureBoot.PlaceTables(next);
        next += Stage2<Stage2Machine>.RootBytes;

        ulong tableBytes = TablePool.BytesFor(Monitor.Description.RamBytes);
        Monitor.Tables = new TablePool(next, tableBytes);
        return next + tableBytes;
    }

    /// <summary>Everything but SK, the components' code and what is left for Linux: that waits for the image's verdict.</summary>
    private static void BuildFrameTable()
    {
        FrameTable frames = Monitor.Frames;
        ulong code = El2.RodataEnd() - Virt.SptmBase;
        Claim(frames, Virt.SptmBase, code, FrameType.SptmCode);
        ulong log = (ulong)El2.LogBase();
        Claim(frames, Virt.SptmBase + code, log - Virt.SptmBase - code, FrameType.SptmData);
        Claim(frames, log, FirmwareLog.Bytes, FrameType.SptmLog);
        Claim(frames, log + FirmwareLog.Bytes, Virt.SptmBase + Virt.SptmSlotBytes - log - FirmwareLog.Bytes, FrameType.SptmData);

        Claim(frames, Virt.ImageHeaderBase, Virt.ManifestBase - Virt.ImageHeaderBase, FrameType.SkConst);
        SecureBoot.Claim(frames);
        Claim(frames, Virt.TablesBase, Monitor.Plan.SecureEnd - Virt.TablesBase, FrameType.SkConst);

        // Frame table and stage-2 tables first, then BootInfo and the measurement log, then SK's untyped memory from the next block on.
        ulong monitorBytes = _free - Monitor.Plan.PoolBase;
        ulong tables = Monitor.LinuxTables.Root - Monitor.Plan.PoolBase;
        Claim(frames, Monitor.Plan.PoolBase, Smmu.Tables - Monitor.Plan.PoolBase, FrameType.SptmData);
        Claim(frames, Smmu.Tables, Monitor.LinuxTables.Root - Smmu.Tables, FrameType.SptmIommuBootstrap);
        Claim(frames, Monitor.LinuxTables.Root, monitorBytes - tables, FrameType.SptmPageTable);
        _bootInfo = _free;
        _measurementLog = _bootInfo + Page;
        _free = _measurementLog + MeasurementLog.Bytes;
        Claim(frames, _bootInfo, Page, FrameType.SkConst);
        Claim(frames, _measurementLog, MeasurementLog.Bytes, FrameType.SptmRo);
        ulong untyped = (_free + Block - 1) & ~(Block - 1);
        if (untyped != _free)
        {
            Claim(frames, _free, untyped - _free, FrameType.SptmData);
        }

        _free = untyped;
        Claim(frames, _free, Monitor.Plan.PoolBase + Monitor.Plan.PoolBytes - _free, FrameType.SkDefault);
    }

    /// <summary>SK's slot, once it is verified: text, constants, data.</summary>
    private static void ClaimSecureKernel(in ImageHeader header)
    {
        FrameTable frames = Monitor.Frames;
        ulong skText = header.SkTextPages * Page;
        ulong skConst = header.SkRodataPages * Page;
        Claim(frames, Virt.SkBase, skText, FrameType.SkCode);
        if (skConst != 0)
        {
            Claim(frames, Virt.SkBase + skText, skConst, FrameType.SkConst);
        }

        Claim(frames, Virt.SkBase + skText + skConst, Virt.SkSlotBytes - skText - skConst, FrameType.SkDefault);
        Arm64.DsbIsh();
        Arm64.IcIalluis();
    }

    /// <summary>Gives executable segments their type. Only SkConst of the image may become SkCode, and only here.</summary>
    private static void ClaimComponents(in FrameTable frames, in ImageHeader header)
    {
        ulong end = header.Components + ((ulong)header.ComponentCount * (ulong)sizeof(ComponentEntry));
        if (end > Monitor.Plan.SecureEnd)
        {
            Stop("the component table runs out of the secure image"u8);
        }

        // SAFETY: TryPlan and the line above keep the table inside the image.
        ReadOnlySpan<ComponentEntry> components = new((void*)header.Components, (int)header.ComponentCount);
        for (int i = 0; i < components.Length; i++)
        {
            ref readonly ComponentEntry component = ref components[i];
            if (component.SegmentCount > ComponentEntry.MaxSegments)
            {
                Stop("a component has too many segments"u8);
            }

            for (int s = 0; s < (int)component.SegmentCount; s++)
            {
                SegmentEntry segment = component.Segments[s];
                if (!ImageCheck.IsSegmentSound(segment, Monitor.Plan.SecureEnd))
                {
                    Stop("a segment lies outside the image or is writable and executable"u8);
                }

                if ((segment.Access & MemoryAccess.Execute) != 0)
                {
                    MakeCode(frames, segment);
                }
            }
        }
    }

    private static void MakeCode(in FrameTable frames, in SegmentEntry segment)
    {
        ulong end = segment.PhysicalBase + ImageCheck.RoundUp(segment.FileBytes);
        for (ulong address = segment.PhysicalBase; address < end; address += Page)
        {
            frames.Entry(address).Type = FrameType.SkCode;
        }

        Arm64.DsbIsh();
        Arm64.IcIalluis();
    }

    /// <summary>Derives both translations from the frame table, and nothing from anything else (I1).</summary>
    private static void BuildStage2()
    {
        FrameTable frames = Monitor.Frames;
        ulong end = Virt.RamBase + Monitor.Description.RamBytes;
        for (ulong address = Virt.RamBase; address < end;)
        {
            ulong length = frames.RunLength(address, end - address);
            FrameType type = frames.TypeOf(address);
            FrameAccess linux = Protections.SecureFrames ? FrameRules.LinuxAccess(type) : FrameAccess.All;
            Map(Monitor.LinuxTables, address, length, linux, device: false);
            FrameAccess secure = Protections.KernelFrames ? FrameRules.SkAccess(type) : FrameAccess.All;
            Map(Monitor.SecureTables, address, length, secure, device: false);
            address += length;
        }

        MapDevices(Monitor.LinuxTables, DeviceMap.Linux);
        MapDevices(Monitor.SecureTables, DeviceMap.Secure);
        if (!Protections.SecureDevices)
        {
            MapDevices(Monitor.LinuxTables, DeviceMap.Secure);
            MapDevices(Monitor.LinuxTables, DeviceMap.Closed);
        }

        if (!Protections.KernelFrames)
        {
            MapDevices(Monitor.SecureTables, DeviceMap.Linux);
        }

        for (int i = 0; i < Monitor.Description.CpuCount; i++)
        {
            ulong frame = DeviceMap.RedistributorFrame(i);
            Map(Monitor.LinuxTables, frame + Virt.GicRedistributorFrameBytes, Virt.GicRedistributorFrameBytes, FrameAccess.ReadWrite, device: true);
            if (!Protections.LpiTables)
            {
                Map(Monitor.LinuxTables, frame, Virt.GicRedistributorFrameBytes, FrameAccess.ReadWrite, device: true);
            }
        }
    }

    /// <summary>Before any device can be a bus master: the SMMU stands on the window, and nothing gets around it (I4).</summary>
    private static void CloseDevices()
    {
        if (!Protections.DmaWindow)
        {
            return;
        }

        if (!VirtioRules.TryAcceptSlots<DeviceBus>(out ReadOnlySpan<byte> rule)
            || (Monitor.Description.HasSmmu && !Smmu.TryStart(out rule))
            || (Monitor.Description.HasPci && !new PciCheck<DeviceBus>(Virt.PcieConfiguration).TryAccept(out rule)))
        {
            Stop(rule);
        }
    }

    private static void MapDevices(in Stage2<Stage2Machine> tables, scoped ReadOnlySpan<ulong> ranges)
    {
        for (int i = 0; i < ranges.Length; i += 2)
        {
            Map(tables, ranges[i], ranges[i + 1], FrameAccess.ReadWrite, device: true);
        }
    }

    private static void Map(in Stage2<Stage2Machine> tables, ulong start, ulong bytes, FrameAccess access, bool device)
    {
        if (access != FrameAccess.None && tables.SetRange(ref Monitor.Tables, start, bytes, access, device) != Status.Ok)
        {
            Stop("stage-2 tables do not fit their pool"u8);
        }
    }

    private static void EditDeviceTree(Span<byte> tree, ulong address, in ImageHeader header, ulong scratch)
    {
        // SAFETY: the start of SK's untyped memory is unused yet; it is cleared again below. TryPlan has checked the command line.
        Span<byte> output = new((void*)scratch, (int)MaximumDeviceTree);
        DeviceTreeEdits edits = new()
        {
            ImageBase = Virt.ImageBase,
            ImageBytes = Monitor.Plan.SecureEnd - Virt.ImageBase,
            PoolBase = Monitor.Plan.PoolBase,
            PoolBytes = Monitor.Plan.PoolBytes,
            InitramfsBase = Monitor.Plan.InitramfsBase,
            InitramfsEnd = Monitor.Plan.InitramfsEnd,
            BootArguments = SecureBoot.BootArguments(header),
            LogBase = (ulong)El2.LogBase(),
            LogBytes = FirmwareLog.Bytes,
            Status = SecureBoot.IsRefused ? ExclavesStatus.NotSupported : ExclavesStatus.NotStarted,
            Reason = SecureBoot.Reason(stackalloc byte[SecureBoot.MaximumReason]),
        };
        if (!DeviceTreeEditor.TryEdit(tree, output, edits, out int length, out ReadOnlySpan<byte> rule))
        {
            Stop(rule);
        }

        output[..length].CopyTo(new Span<byte>((void*)address, length));
        CleanToMemory(address, (ulong)length);
        Clear(scratch, MaximumDeviceTree);
    }

    private static void WriteBootInfo(ulong untyped)
    {
        // SAFETY: _bootInfo is a page of the pool that BuildFrameTable claimed.
        ref BootInfo info = ref *(BootInfo*)_bootInfo;
        info.Magic = BootInfo.MagicValue;
        info.ImageHeader = Virt.ImageHeaderBase;
        info.UntypedBase = untyped;
        info.UntypedBytes = Monitor.Plan.PoolBase + Monitor.Plan.PoolBytes - untyped;
        info.RamBase = Virt.RamBase;
        info.RamBytes = Monitor.Description.RamBytes;
        info.CpuCount = (ulong)Monitor.Description.CpuCount;
        ulong state = Monitor.Description.Seed0 ^ Arm64.ReadCntpctEl0();
        info.Seed0 = Mix(ref state);
        state ^= Monitor.Description.Seed1;
        info.Seed1 = Mix(ref state);
        info.MeasurementLog = _measurementLog;
        SecureBoot.WriteLog(_measurementLog);
    }

    /// <summary>SplitMix64: spreads a seed for stack cookies; not for keys.</summary>
    private static ulong Mix(ref ulong state)
    {
        state += 0x9E37_79B9_7F4A_7C15;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    private static void PrepareCpus()
    {
        for (int i = 0; i < Virt.MaxCpus; i++)
        {
            PerCpu* cpu = Monitor.Cpu(i);
            cpu->Number = (uint)i;
            ResetWorlds(cpu);
        }
    }

    private static TrapFrame* EnterFirst(PerCpu* cpu, ulong bootInfo)
    {
        Machinery.GoIn(cpu);
        cpu->Secure = default;
        cpu->Secure.X[0] = (ulong)GateEndpoint.CpuOnline;
        cpu->Secure.X[1] = bootInfo;
        cpu->Secure.X[2] = cpu->Number;
        cpu->Secure.ProgramCounter = Virt.SkBase;
        cpu->Secure.ProcessorState = WorldValues.EntryState;
        cpu->Request = (uint)GateEndpoint.CpuOnline;
        cpu->Frame = &cpu->Secure;
        El2.LoadWorld(0, ref cpu->SecureWorld);
        return cpu->Frame;
    }

    public static void Claim(in FrameTable frames, ulong start, ulong bytes, FrameType type)
    {
        if (frames.Claim(start, bytes, type) != Status.Ok)
        {
            Stop("two parts of the image claim the same memory"u8);
        }
    }

    public static void Clear(ulong start, ulong bytes)
    {
        const ulong Chunk = 0x4000_0000;
        for (ulong done = 0; done < bytes; done += Chunk)
        {
            ulong part = bytes - done < Chunk ? bytes - done : Chunk;
            new Span<byte>((void*)(start + done), (int)part).Clear();
        }

        CleanToMemory(start, bytes);
    }

    /// <summary>Writes dirty lines back, so that a non-cacheable alias sees them too (design review 2).</summary>
    private static void CleanToMemory(ulong start, ulong bytes) => El2.CleanRange(start & ~63ul, start + bytes);

    public static void Stop(scoped ReadOnlySpan<byte> rule)
    {
        LineBuilder line = new(stackalloc byte[160]);
        line.Append("cannot boot: "u8);
        line.Append(rule);
        Machinery.Panic(line.Text);
    }
}
