using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Exclaves.Abi;
using Exclaves.RogueKernel;

namespace Exclaves.Attack;

/// <summary>What a compromised SK tries. A step that ends the secure world has a machine to itself (<see cref="LastSteps"/>).</summary>
internal sealed class SecureKernelAttacks
{
    private const long ErrorFault = -14;

    private const ulong Proof = 0x464F_4F52_5045_4854;

    /// <summary>MOV x0, #43; RET.</summary>
    private const ulong Instructions = 0xD65F_03C0_D280_0560;
    private const ulong InstructionsAnswer = 43;

    /// <summary>What devices of Linux reach, and a frame in it.</summary>
    private const ulong DeviceMemoryBase = Virt.RamBase;
    private const ulong DeviceMemoryEnd = Virt.RamBase + 0x4000_0000;
    private const ulong FrameInWindow = 0x7000_0000;

    /// <summary>A table descriptor, a page descriptor (AF, inner shareable), both of which the same word can be.</summary>
    private const ulong TableOrPage = 0x703;

    private readonly Trial _trial;
    private readonly RogueKernel _kernel;

    /// <summary>Where the measurement log lies: SPTM tells SK alone.</summary>
    private readonly ulong _log;

    private SecureKernelAttacks(Trial trial)
    {
        _trial = trial;
        _kernel = trial.Field.Kernel ?? throw new InvalidOperationException("this machine has the real SK");
        RogueKernel.StayOn(0);
        _log = _kernel.Ask(RogueCommand.Log).X1;
    }

    private KernelPage Page => _trial.Field.OwnPage;

    private Meter Retypes => _trial.Field.Of(SptmCounter.RefusedRetype);

    private Meter Shared => _trial.Field.Of(SptmCounter.SharedFrames);

    private Meter Copies => _trial.Field.Of(SptmCounter.RefusedCopy);

    public static void AddTo(Suite suite)
    {
        suite.Add("sk.retype.stale", trial => new SecureKernelAttacks(trial).StaleType());
        suite.Add("sk.retype.window", trial => new SecureKernelAttacks(trial).Window());
        suite.Add("sk.retype.argument", trial => new SecureKernelAttacks(trial).ArgumentPage());
        suite.Add("sk.published", trial => new SecureKernelAttacks(trial).Published());
        suite.Add("sk.borrow", trial => new SecureKernelAttacks(trial).Borrow());
        suite.Add("sk.copy.read", trial => new SecureKernelAttacks(trial).CopyOut());
        suite.Add("sk.copy.write", trial => new SecureKernelAttacks(trial).CopyIn());
        suite.Add("sk.el2", trial => new SecureKernelAttacks(trial).Hypervisor());
        suite.Add("sk.interrupts", trial => new SecureKernelAttacks(trial).Interrupts());
        suite.Add("log.linux", trial => new SecureKernelAttacks(trial).TellLog());
        foreach (LastStep step in LastSteps.All)
        {
            suite.Add(step.Name, trial => new SecureKernelAttacks(trial).Take(step));
        }
    }

    private void StaleType()
    {
        foreach ((string name, ulong frame) in (ReadOnlySpan<(string, ulong)>)
            [("Linux", Page.Address), ("SPTM's data", Virt.SptmBase + Virt.SptmSlotBytes - 4096), ("SK's text", Virt.SkBase), ("image", Virt.ImageHeaderBase)])
        {
            _trial.Try($"{name} as donated", Retypes, () => Refused(Retype(frame, FrameType.SkDonated, FrameType.XnuDefault)));
        }

        foreach ((string name, ulong frame) in (ReadOnlySpan<(string, ulong)>)[("SPTM's data", Virt.SptmBase + Virt.SptmSlotBytes - 4096), ("SK's data", RogueKernel.OwnPage)])
        {
            _trial.Try($"{name} as Linux's", Retypes, () => Refused(Retype(frame, FrameType.XnuDefault, FrameType.SkDonated)));
        }

        Require(_kernel.Gate(SkFunction.Borrow, Page.Address));
        _trial.Try("borrowed page as Linux's", Retypes, () => Refused(Retype(Page.Address, FrameType.XnuDefault, FrameType.SkDonated)));
        Require(_kernel.Gate(SkFunction.Return, Page.Address));
        _trial.Permit("the same page, given back", () => Both(
            Retype(Page.Address, FrameType.XnuDefault, FrameType.SkDonated), Retype(Page.Address, FrameType.SkDonated, FrameType.XnuDefault)));
        PermitDonation();
    }

    // Everything but the place speaks for the donation: SPTM lends the frame a moment before, so it is Linux's alone and nothing else holds it.
    private void Window()
    {
        KernelPage own = _trial.Field.Device.NewPage(forDevices: true);
        own.Bytes.Fill(0x5A);
        foreach (ulong frame in (ReadOnlySpan<ulong>)[own.Address, DeviceMemoryBase, FrameInWindow, FrameInWindow + 0xFF_F000, DeviceMemoryEnd - 0x20_0000, DeviceMemoryEnd - 4096])
        {
            _trial.Try($"0x{frame:x}", Retypes, () =>
            {
                if (!IsLinuxsAlone(frame))
                {
                    return Attempt.Neither("it is not Linux's alone, so its place is not what refuses it");
                }

                ulong refused = Retypes.Read();
                Attempt made = Refused(Retype(frame, FrameType.XnuDefault, FrameType.SkDonated));
                return Retypes.Read() - refused != 1 ? Attempt.Neither($"{made.Words}, not refused once")
                    : IsLinuxsAlone(frame) && own.Bytes.IndexOfAnyExcept((byte)0x5A) < 0 ? made
                    : Attempt.Succeeded("refused, but it has changed");
            });
        }

        PermitDonation();
    }

    // The page that a request in progress has named: SPTM writes to it on SK's word, so it must stay Linux's until SK is done with it.
    private void ArgumentPage()
    {
        KernelPage page = _trial.Field.Device.NewPage();
        _trial.Field.Device.Call(Tee.CallWithRpcArg, page.Address >> 32, (uint)page.Address, 0);
        _trial.Try("named once", Retypes, () => Refused(Retype(page.Address, FrameType.XnuDefault, FrameType.SkDonated)));
        _trial.Field.Device.Call(Tee.CallWithRpcArg, page.Address >> 32, (uint)page.Address, 0);
        Require(_kernel.Gate(SkFunction.ArgumentDone, page.Address));
        _trial.Try("named twice, done with once", Retypes, () => Refused(Retype(page.Address, FrameType.XnuDefault, FrameType.SkDonated)));
        Require(_kernel.Gate(SkFunction.ArgumentDone, page.Address));
        _trial.Permit("done with twice", () => Both(
            Retype(page.Address, FrameType.XnuDefault, FrameType.SkDonated), Retype(page.Address, FrameType.SkDonated, FrameType.XnuDefault)));
    }

    /// <summary>SPTM lends a frame that is Linux's, and counts it as shared only when nobody else has borrowed it.</summary>
    private bool IsLinuxsAlone(ulong frame)
    {
        ulong before = Shared.Read();
        bool lent = _kernel.Gate(SkFunction.Borrow, frame) is { IsDone: true, X1: 0 } && Shared.Read() == before + 1;
        return _kernel.Gate(SkFunction.Return, frame) is { IsDone: true, X1: 0 } && lent && Shared.Read() == before;
    }

    // SK_SHARED_RO: Linux reads what SK writes. What Linux writes takes the frame back, empty, so SK never finds it in what it published.
    private void Published()
    {
        KernelPage page = _trial.Field.Device.NewPage();
        page.Bytes.Fill(0x5A);
        Require(Retype(page.Address, FrameType.XnuDefault, FrameType.SkDonated));
        Require(_kernel.Store(page.Address, Proof));
        Require(Retype(page.Address, FrameType.SkDonated, FrameType.SkSharedRo));
        _trial.Permit("what it held before", () => Read(page) == 0 ? Attempt.Succeeded("") : Attempt.Neither($"Linux reads 0x{Read(page):x}"));
        Require(_kernel.Store(page.Address, Proof));
        _trial.Permit("Linux reads it", () => Attempt.Of(Read(page) != Proof, $"0x{Read(page):x}"));
        Require(Retype(page.Address, FrameType.SkSharedRo, FrameType.SkDonated));
        Require(Retype(page.Address, FrameType.SkDonated, FrameType.SkSharedRo));
        _trial.Permit("it is empty when it is published again", () => Attempt.Of(Read(page) != 0, $"0x{Read(page):x}"));

        Require(_kernel.Store(page.Address, Proof));
        _trial.Try("Linux writes it", _trial.Field.Of(SptmCounter.ReclaimedFrames), () =>
        {
            page.Bytes[8] = 0x5A;
            return Attempt.Of(Read(page) == 0 && page.Bytes[8] == 0x5A, $"the frame is Linux's again; what SK had published reads 0x{Read(page):x}");
        });
        _trial.Try("SK takes it for published still", Retypes, () => Refused(Retype(page.Address, FrameType.SkSharedRo, FrameType.SkDonated)));
    }

    private ulong Read(KernelPage page) => _trial.Field.Device.Run(AttackKind.Read, page.Address, sizeof(ulong)).Out[0];

    private static void Require(RogueAnswer answer)
    {
        if (answer is not { IsDone: true, X1: 0 })
        {
            throw new InvalidOperationException(answer.ToString());
        }
    }

    /// <summary>SK tells Linux where the measurement log lies, and may read it itself.</summary>
    private void TellLog()
    {
        Meter refused = _trial.Field.Of(SptmCounter.RefusedKernelData);
        AttackDevice device = _trial.Field.Device;
        _trial.Try("load", refused, () =>
        {
            AttackRequest request = device.Run(AttackKind.Read, _log, sizeof(ulong));
            return request.Error == ErrorFault ? Attempt.Stopped("-EFAULT") : Loot(request.Error == 0 && request.Out[0] == MeasurementLog.MagicValue, $"0x{request.Out[0]:x}, error {request.Error}");
        });
        _trial.Try("store", refused, () =>
        {
            AttackRequest request = device.Run(AttackKind.Write, _log, sizeof(ulong), Proof, 1, MeasurementLog.MagicValue);
            return request.Error == ErrorFault ? Attempt.Stopped("-EFAULT") : Loot(request.Error == 0 && request.Out[0] == Proof, $"0x{request.Out[0]:x}");
        });
        RogueAnswer answer = _kernel.Ask(RogueCommand.Load, _log, sizeof(ulong));
        if (answer is not { IsDone: true, X1: MeasurementLog.MagicValue })
        {
            _trial.Fail($"the log is not where SK says, or was written: {answer}");
        }

        static Attempt Loot(bool isRight, string words) => isRight ? Attempt.Succeeded(words) : Attempt.Neither(words);
    }

    private void Borrow()
    {
        Meter shares = _trial.Field.Of(SptmCounter.RefusedShare);
        foreach ((string name, ulong frame) in (ReadOnlySpan<(string, ulong)>)
        [
            ("SPTM's text", Virt.SptmBase), ("SPTM's data", Virt.SptmBase + Virt.SptmSlotBytes - 4096), ("SK's text", Virt.SkBase),
            ("image", Virt.ImageHeaderBase), ("distributor", Virt.GicDistributor), ("SMMU", Virt.Smmu), ("nowhere", 0xFFFF_FFFF_F000),
        ])
        {
            _trial.Try(name, shares, () => Refused(_kernel.Gate(SkFunction.Borrow, frame)));
        }

        _trial.Try("return of what is not borrowed", shares, () => Refused(_kernel.Gate(SkFunction.Return, Page.Address)));
        _trial.Permit("Linux's page", () => Both(_kernel.Gate(SkFunction.Borrow, Page.Address), _kernel.Gate(SkFunction.Return, Page.Address)));
    }

    private void CopyOut()
    {
        foreach ((string name, ulong frame) in (ReadOnlySpan<(string, ulong)>)
            [("SPTM's text", Virt.SptmBase), ("SPTM's data", Virt.SptmBase + Virt.SptmSlotBytes - 4096), ("image", Virt.ImageHeaderBase), ("distributor", Virt.GicDistributor)])
        {
            _trial.Try(name, Copies, () => Refused(_kernel.Gate(SkFunction.LinuxRead, frame, RogueKernel.OwnPage, sizeof(ulong))));
        }

        _trial.Permit("Linux's page", PermitCopy);
    }

    private void CopyIn()
    {
        _trial.Try("Linux's page", Copies, () => Refused(_kernel.Gate(SkFunction.LinuxWrite, Page.Address, RogueKernel.OwnPage, sizeof(ulong))));
        _trial.Try("SPTM's data", Copies, () => Refused(
            _kernel.Gate(SkFunction.LinuxWrite, Virt.SptmBase + Virt.SptmSlotBytes - 4096, RogueKernel.OwnPage, sizeof(ulong))));
        _trial.Permit("page that Linux named", () =>
        {
            // A call with a private page names it; the rogue kernel takes it for a Ping and never says that it is done with the page.
            KernelPage named = _trial.Field.Device.NewPage();
            _trial.Field.Device.Call(Tee.CallWithRpcArg, named.Address >> 32, (uint)named.Address, 0);
            _kernel.Store(RogueKernel.OwnPage, Proof);
            RogueAnswer answer = _kernel.Gate(SkFunction.LinuxWrite, named.Address, RogueKernel.OwnPage, sizeof(ulong));
            return Attempt.Of(Word(named) != Proof, answer.ToString());
        });
    }

    private void Hypervisor()
    {
        Meter entries = _trial.Field.Of(SptmCounter.Enter);
        foreach ((string name, ulong instruction) in (ReadOnlySpan<(string, ulong)>)
        [
            ("MSR HCR_EL2", 14), ("MSR VTTBR_EL2", 15), ("TLBI ALLE1", 7), ("TLBI ALLE2", 8), ("TLBI IPAS2E1IS", 9), ("AT S12E1R", 13), ("ERET to EL2", 28),
        ])
        {
            _trial.Try(name, entries, () => Raised(_kernel.Ask(RogueCommand.Instruction, instruction)));
        }

        _trial.Permit("TLBI VMALLE1IS", () => Done(_kernel.Ask(RogueCommand.Instruction, 6)));
    }

    private void Interrupts()
    {
        Meter traps = _trial.Field.Of(SptmCounter.SecureTrap);
        foreach ((string name, ulong instruction) in (ReadOnlySpan<(string, ulong)>)
            [("ICC_SGI1R_EL1", 16), ("ICC_IAR1_EL1", 17), ("ICC_IAR0_EL1", 18), ("ICC_EOIR1_EL1", 19)])
        {
            _trial.Try(name, traps, () => Raised(_kernel.Ask(RogueCommand.Instruction, instruction)));
        }

        _trial.Permit("ISR_EL1", () => Done(_kernel.Ask(RogueCommand.Wait, 1)));
    }

    /// <summary>A step that ends the secure world: on the product one for a machine, on a weak build one after another.</summary>
    private void Take(LastStep step)
    {
        if (_trial.IsWeak)
        {
            Prepare(step);
            _trial.Try(step.Name, default, () => Judge(step, _kernel.Ask(step.Command, AddressOf(step), step.Operand)));
            PutBack(step);
            return;
        }

        _trial.Permit("Linux's page", PermitCopy);
        PermitDonation();
        Prepare(step);
        _trial.Try(step.Name, _trial.Field.Of(SptmCounter.SecureBreach), () =>
        {
            RogueAnswer answer = _kernel.Ask(step.Command, AddressOf(step), step.Operand);
            _trial.Field.IsClosed = true;
            return Judge(step, answer);
        });
    }

    private ulong AddressOf(LastStep step) => step.Kind == LastStepKind.WriteLog ? _log : step.Address(Page);

    private void Prepare(LastStep step)
    {
        switch (step.Kind)
        {
            case LastStepKind.ReadWord:
                BinaryPrimitives.WriteUInt64LittleEndian(Page.Bytes[8..], Proof);
                BinaryPrimitives.WriteUInt64LittleEndian(Page.Bytes, (Page.Address & ~0xFFFul) | TableOrPage);
                break;
            case LastStepKind.RunLinux:
                BinaryPrimitives.WriteUInt64LittleEndian(Page.Bytes[16..], Instructions);
                break;
            case LastStepKind.RunData:
                _kernel.Store(RogueKernel.OwnPage + 16, Instructions);
                break;
            case LastStepKind.WriteWord or LastStepKind.WriteLog:
                _kernel.Ask(RogueCommand.Operand, 0, Proof);
                break;
            case LastStepKind.Call:
                _kernel.PrepareGate(step.Target, step.Operands(Page));
                break;
            default:
                break;
        }
    }

    /// <summary>Weak builds: what was written over came from a word that nobody reads while this runs.</summary>
    private void PutBack(LastStep step)
    {
        if (step.Kind is LastStepKind.WriteWord or LastStepKind.WriteLog)
        {
            _kernel.Store(AddressOf(step), step.Kind == LastStepKind.WriteLog ? MeasurementLog.MagicValue : step.Name == "sk.sptm.write" ? 0 : LastSteps.FirstWordOfText);
        }
    }

    private Attempt Judge(LastStep step, RogueAnswer answer)
    {
        if (answer.IsClosed)
        {
            bool silent = answer is { X1: 0, X2: 0, X3: 0 };
            return silent ? Attempt.Stopped("the secure world closed") : Attempt.Succeeded($"Linux finds {answer} in its registers");
        }

        bool brought = step.Kind switch
        {
            LastStepKind.ReadWord => answer.IsDone && answer.X1 == Proof,
            LastStepKind.ReadDevice => answer.IsDone,
            LastStepKind.RunData or LastStepKind.RunLinux => answer.IsDone && answer.X1 == InstructionsAnswer,
            LastStepKind.WriteWord or LastStepKind.WriteLog => answer.IsDone && _kernel.Ask(RogueCommand.Load, AddressOf(step), sizeof(ulong)).X1 == Proof,
            _ => answer.IsDone,
        };
        return brought ? Attempt.Succeeded(answer.ToString()) : Attempt.Neither(answer.ToString());
    }

    /// <summary>Linux's page becomes SK's and Linux's again.</summary>
    private void PermitDonation() => _trial.Permit("Linux's page", () =>
    {
        KernelPage page = _trial.Field.Device.NewPage();
        return Both(
            Retype(page.Address, FrameType.XnuDefault, FrameType.SkDonated), Retype(page.Address, FrameType.SkDonated, FrameType.XnuDefault));
    });

    private Attempt PermitCopy()
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Page.Bytes, Proof);
        RogueAnswer answer = _kernel.Gate(SkFunction.LinuxRead, Page.Address, RogueKernel.OwnPage, sizeof(ulong));
        return Attempt.Of(_kernel.Ask(RogueCommand.Load, RogueKernel.OwnPage, sizeof(ulong)).X1 != Proof, answer.ToString());
    }

    private RogueAnswer Retype(ulong frame, FrameType from, FrameType to) => _kernel.Gate(SkFunction.Retype, frame, (ulong)from, (ulong)to);

    private static ulong Word(KernelPage page) => BinaryPrimitives.ReadUInt64LittleEndian(page.Bytes);

    private static Attempt Refused(RogueAnswer answer) =>
        !answer.IsDone ? Attempt.Neither(answer.ToString()) : Attempt.Of(answer.X1 == (ulong)Abi.CallResult.Refused, answer.ToString());

    private static Attempt Raised(RogueAnswer answer) => Attempt.Of(answer.IsException, answer.ToString());

    private static Attempt Done(RogueAnswer answer) => Attempt.Of(!answer.IsDone, answer.ToString());

    private static Attempt Both(RogueAnswer first, RogueAnswer second) =>
        Attempt.Of(first is not { IsDone: true, X1: 0 } || second is not { IsDone: true, X1: 0 }, $"{first}, then {second}");
}
