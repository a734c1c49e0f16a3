using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Attacks from secure EL0.</summary>
internal sealed class ComponentAttacks : IDisposable
{
    private const ulong DirectMap = 0xFFFF_0000_0000_0000;

    /// <summary>RET.</summary>
    private const ulong Instruction = 0xD65F_03C0;

    // ESR_EL1.EC: from a lower level.
    private const ulong InstructionAbort = 0x20;
    private const ulong DataAbort = 0x24;

    private const ulong OwnEndpoint = ComponentEntry.OwnEndpointSlot;

    private readonly Trial _trial;
    private readonly Intruder _intruder;

    private ComponentAttacks(Trial trial)
    {
        _trial = trial;
        _intruder = new Intruder(trial.Field.Driver);
    }

    private Meter Faults => _trial.Field.Of(SkCounter.ReflectedFaults);

    private Meter Refusals => _trial.Field.Of(SkCounter.RefusedCalls);

    /// <summary>What no component has: SK's half, SPTM, other components by their physical addresses and by SK's map of them, nothing at all.</summary>
    private IEnumerable<(string Name, ulong Address)> Foreign
    {
        get
        {
            yield return ("SK's text", DirectMap + Virt.SkBase);
            yield return ("SK's data", DirectMap + Virt.SkBase + Virt.SkSlotBytes - 4096);
            yield return ("SPTM, in SK's half", DirectMap + Virt.SptmBase);
            yield return ("physical address of SK", Virt.SkBase);
            foreach (ComponentReport component in _trial.Field.Components().Where(one => one.Status.UntypedBytes != 0))
            {
                yield return ($"{component.Name}, in SK's half", DirectMap + component.Status.UntypedBase);
                yield return ($"{component.Name}, physical address", component.Status.UntypedBase);
            }

            yield return ("XnuProxy's window", UserLayout.SharedBase);
            yield return ("address 0", 0);
            yield return ("end of the lower half", UserLayout.End - sizeof(ulong));
            yield return ("no canonical address", 0x0123_4567_89AB_CDE0);
        }
    }

    public static void AddTo(Suite suite)
    {
        suite.Add("component.read", Run(attack => attack.Access(IntruderStep.Load)));
        suite.Add("component.write", Run(attack => attack.Access(IntruderStep.Store)));
        suite.Add("component.execute", Run(attack => attack.Execute()));
        suite.Add("component.cache", Run(attack => attack.Cache()));
        suite.Add("component.text.write", Run(attack => attack.WriteText()));
        suite.Add("component.log", Run(attack => attack.Log()));
        suite.Add("component.data.execute", Run(attack => attack.ExecuteData()));
        suite.Add("component.map", Run(attack => attack.Map()));
        suite.Add("component.registers", Run(attack => attack.Registers()));
        suite.Add("component.instruction", Run(attack => attack.Instructions()));
        suite.Add("component.slot", Run(attack => attack.Slots()));
        suite.Add("component.powers", Run(attack => attack.Powers()));
        suite.Add("component.pointer", Run(attack => attack.Pointers()));
        suite.Add("component.number", Run(attack => attack.Numbers()));
        suite.Add("component.label", Run(attack => attack.Labels()));
    }

    public void Dispose() => _intruder.Dispose();

    private static Action<Trial> Run(Action<ComponentAttacks> attack) => trial =>
    {
        using ComponentAttacks attacks = new(trial);
        attack(attacks);
    };

    private void Access(IntruderStep step)
    {
        foreach ((string name, ulong address) in Foreign)
        {
            Fault(name, step, address);
        }

        PermitData();
    }

    private void Execute()
    {
        Fault("SK's text", IntruderStep.Branch, DirectMap + Virt.SkBase);
        Fault("physical address of SK", IntruderStep.Branch, Virt.SkBase);
        PermitBranch();
    }

    private void Cache()
    {
        // Cleaning by address is no access to QEMU: only what writes shows that the address is not the component's.
        foreach ((string name, ulong address) in Foreign)
        {
            Fault($"zero {name}", IntruderStep.Zero, address);
        }

        Fault("zero text", IntruderStep.Zero, _intruder.Text);
        Fault("invalidate own data", IntruderStep.Invalidate, _intruder.Data);
        Fault("invalidate all text", IntruderStep.InvalidateAllText, 0);
        _intruder.Call(SecureCall.MapMemory, UserLayout.PrivateBase, 1, 3);
        Step("own page", IntruderStep.Zero, UserLayout.PrivateBase, _ => true);
        _intruder.Call(SecureCall.UnmapMemory, UserLayout.PrivateBase, 1);
    }

    private void WriteText()
    {
        Fault("text", IntruderStep.Store, _intruder.Text);
        Fault("constants", IntruderStep.Store, _intruder.Constant);
        Fault("start information", IntruderStep.Store, UserLayout.StartInfo);
        PermitData();
    }

    private void Log()
    {
        foreach (ulong address in (ReadOnlySpan<ulong>)[UserLayout.Measurements, UserLayout.Measurements + MeasurementLog.Bytes - sizeof(ulong)])
        {
            Fault($"store at {address:x}", IntruderStep.Store, address);
        }

        Fault("zero", IntruderStep.Zero, UserLayout.Measurements);
        Fault("branch", IntruderStep.Branch, UserLayout.Measurements);
        Refuse("made writable", Status.BadAddress, () => _intruder.Call(SecureCall.ProtectMemory, UserLayout.Measurements, 2, 3));
        Refuse("given back", Status.BadAddress, () => _intruder.Call(SecureCall.UnmapMemory, UserLayout.Measurements, 2));
        Refuse("mapped over", Status.BadAddress, () => _intruder.Call(SecureCall.MapMemory, UserLayout.Measurements, 2, 3));
        Step("the log", IntruderStep.Load, UserLayout.Measurements, value => value == MeasurementLog.MagicValue);
    }

    private void ExecuteData()
    {
        _intruder.Step(IntruderStep.Store, _intruder.Data, Instruction);
        Fault("data", IntruderStep.Branch, _intruder.Data);
        Fault("stack", IntruderStep.Branch, UserLayout.StackTop - 4096);
        _intruder.Call(SecureCall.MapMemory, UserLayout.PrivateBase, 1, (ulong)MemoryAccess.Read | (ulong)MemoryAccess.Write);
        _intruder.Step(IntruderStep.Store, UserLayout.PrivateBase, Instruction);
        Fault("fresh page", IntruderStep.Branch, UserLayout.PrivateBase);
        _intruder.Call(SecureCall.UnmapMemory, UserLayout.PrivateBase, 1);
        PermitBranch();
    }

    private void Map()
    {
        for (ulong access = (ulong)MemoryAccess.Execute; access < 16; access++)
        {
            ulong asked = access;
            Refuse($"map with access {access}", Status.BadArgument, () => _intruder.Call(SecureCall.MapMemory, UserLayout.PrivateBase, 1, asked));
        }

        ulong text = _intruder.Text & ~0xFFFul;
        Refuse("text made writable", Status.BadAddress, () => _intruder.Call(SecureCall.ProtectMemory, text, 1, 3));
        Refuse("text made executable and writable", Status.BadArgument, () => _intruder.Call(SecureCall.ProtectMemory, text, 1, 7));
        Refuse("text given back", Status.BadAddress, () => _intruder.Call(SecureCall.UnmapMemory, text, 1));
        Refuse("IPC page given back", Status.BadAddress, () => _intruder.Call(SecureCall.UnmapMemory, UserLayout.IpcPage, 1));
        Refuse("map over text", Status.BadAddress, () => _intruder.Call(SecureCall.MapMemory, text, 1, 3));
        _trial.Permit("own page", () => Accepted(
            _intruder.Call(SecureCall.MapMemory, UserLayout.PrivateBase, 1, 3),
            _intruder.Call(SecureCall.ProtectMemory, UserLayout.PrivateBase, 1, 1),
            _intruder.Call(SecureCall.UnmapMemory, UserLayout.PrivateBase, 1)));
    }

    private void Registers()
    {
        for (IntruderStep step = IntruderStep.ReadSctlr; step <= IntruderStep.WriteHcr; step++)
        {
            Fault(step.ToString(), step, 0);
        }

        Step("TPIDR_EL0", IntruderStep.ReadThreadPointer, 0, _ => true);
        Step("CNTVCT_EL0", IntruderStep.ReadCounter, 0, value => value != 0);
    }

    private void Instructions()
    {
        foreach (IntruderStep step in (ReadOnlySpan<IntruderStep>)
        [
            IntruderStep.Hvc, IntruderStep.Smc, IntruderStep.Brk, IntruderStep.Eret, IntruderStep.InvalidateTranslations, IntruderStep.Translate, IntruderStep.MaskInterrupts,
        ])
        {
            Fault(step.ToString(), step, 0);
        }

        Step("TPIDR_EL0", IntruderStep.ReadThreadPointer, 0, _ => true);
    }

    private void Slots()
    {
        foreach (ulong slot in (ReadOnlySpan<ulong>)[0, 2, 3, 4, 11, 31, 34, 63, 64, 255, 0xFFFF_FFFF, 1ul << 32, (1ul << 32) | ComponentEntry.UpcallSlot, ulong.MaxValue])
        {
            Refuse($"call slot {slot:x}", Status.BadCapability, () => _intruder.Send(slot, MessageLabel.Invoke));
            Refuse($"device slot {slot:x}", Status.BadCapability, () => _intruder.Call(SecureCall.MapDevice, slot, UserLayout.PrivateBase));
        }

        Refuse("call the own endpoint", Status.Denied, () => _intruder.Send(OwnEndpoint, MessageLabel.Invoke));
        Refuse("XnuProxy's endpoint as a device", Status.BadCapability, () => _intruder.Call(SecureCall.MapDevice, ComponentEntry.UpcallSlot, UserLayout.PrivateBase));
        PermitSend();
    }

    private void Powers()
    {
        foreach (SecureCall call in (ReadOnlySpan<SecureCall>)
        [
            SecureCall.Forward, SecureCall.ForwardReceive, SecureCall.Finish, SecureCall.FinishReceive, SecureCall.Suspend, SecureCall.LinuxRead, SecureCall.LinuxWrite,
            SecureCall.ShareMap, SecureCall.ShareUnmap, SecureCall.Donate, SecureCall.ReturnDonated, SecureCall.CollectDonated, SecureCall.TakeWish, SecureCall.PhysicalAddress,
            SecureCall.Counters, SecureCall.ComponentInfo, SecureCall.Restart, SecureCall.LendTime,
        ])
        {
            Refuse(call.ToString(), Status.BadCapability, () => _intruder.Call(call, ComponentEntry.UpcallSlot, _intruder.Data, 1));
        }

        _trial.Permit("Log", () => Accepted(_intruder.Call(SecureCall.Log, _intruder.Constant, 8)));
    }

    private void Pointers()
    {
        // The last has the table indices of a page that is the component's.
        ulong[] places =
        [
            DirectMap + Virt.SkBase, 0, 1, _intruder.Data + 1, UserLayout.End, UserLayout.End - 4096, ulong.MaxValue, UserLayout.SharedBase, Virt.SkBase,
            DirectMap + (_intruder.Data & ~0xFFFul),
        ];
        foreach (ulong place in places)
        {
            Refuse($"context at {place:x}", Status.BadAddress, () => _intruder.Call(SecureCall.ResumeContext, place));
            Status expected = (place & 0xFFF) == 0 ? Status.BadAddress : Status.BadArgument;
            Refuse($"handler's page at {place:x}", expected, () => _intruder.Call(SecureCall.SetPersonality, _intruder.Text, UserLayout.StackTop, place));
            if (place != _intruder.Data + 1)
            {
                Refuse($"log at {place:x}", Status.BadAddress, () => _intruder.Call(SecureCall.Log, place, 8));
            }

            foreach (SecureCall call in (ReadOnlySpan<SecureCall>)[SecureCall.MapMemory, SecureCall.UnmapMemory, SecureCall.ProtectMemory])
            {
                // The rest is the component's own half, mapped or not.
                if (place is not (0 or Virt.SkBase or (UserLayout.End - 4096)))
                {
                    Refuse($"{call} at {place:x}", Status.BadArgument, () => _intruder.Call(call, place, 1, 3));
                }
            }
        }

        foreach (ulong bytes in (ReadOnlySpan<ulong>)[0, 257, 1ul << 63, ulong.MaxValue])
        {
            Refuse($"log of {bytes:x} bytes", Status.BadArgument, () => _intruder.Call(SecureCall.Log, _intruder.Constant, bytes));
        }

        foreach (ulong pages in (ReadOnlySpan<ulong>)[0, 1ul << 51, 1ul << 52, ulong.MaxValue])
        {
            foreach (SecureCall call in (ReadOnlySpan<SecureCall>)[SecureCall.MapMemory, SecureCall.UnmapMemory, SecureCall.ProtectMemory])
            {
                Refuse($"{call} of {pages:x} pages", Status.BadArgument, () => _intruder.Call(call, UserLayout.PrivateBase, pages, 3));
            }
        }

        _trial.Permit("own addresses", () => Accepted(
            _intruder.Call(SecureCall.Log, _intruder.Constant, 8),
            _intruder.Call(SecureCall.MapMemory, UserLayout.PrivateBase, 2, 3),
            _intruder.Call(SecureCall.UnmapMemory, UserLayout.PrivateBase, 2)));
    }

    private void Numbers()
    {
        foreach (ulong number in (ReadOnlySpan<ulong>)[0, 200, 201, 255, 256, 0xFFFF_FFFF, (1ul << 32) | (ulong)SecureCall.Log, ulong.MaxValue])
        {
            Refuse($"call {number:x}", Status.BadCall, () => _intruder.Call(number, _intruder.Constant, 8));
        }

        _trial.Permit("Log", () => Accepted(_intruder.Call(SecureCall.Log, _intruder.Constant, 8)));
    }

    private void Labels()
    {
        foreach (MessageLabel label in (ReadOnlySpan<MessageLabel>)[MessageLabel.Downcall, MessageLabel.Completion, MessageLabel.UpcallReturn, MessageLabel.WorldReset])
        {
            Refuse(label.ToString(), Status.BadArgument, () => _intruder.Send(ComponentEntry.UpcallSlot, label));
        }

        PermitSend();
    }

    /// <summary>An abort must be that of the access itself: what runs into an exception after it was admitted is loot.</summary>
    private void Fault(string target, IntruderStep step, ulong address) => _trial.Try(target, Faults, () =>
    {
        StepResult result = _intruder.Step(step, address);
        bool refused = step switch
        {
            IntruderStep.Branch => result is { Reason: ReflectReason.Fault, Class: InstructionAbort },
            IntruderStep.Load or IntruderStep.Store or IntruderStep.Zero => result is { Reason: ReflectReason.Fault, Class: DataAbort },
            _ => result.Reason is ReflectReason.Fault or ReflectReason.Exception,
        };
        return Attempt.Of(refused, result.ToString());
    });

    /// <summary>What another check of SK refuses says nothing about the one that the attack aims at: it must be this status.</summary>
    private void Refuse(string target, Status expected, Func<Status> call) => _trial.Try(target, Refusals, () =>
    {
        Status status = call();
        return status == expected ? Attempt.Stopped(status.ToString())
            : status == Status.Ok ? Attempt.Succeeded("carried out")
            : Attempt.Neither($"{status} instead of {expected}");
    });

    private void Step(string target, IntruderStep step, ulong address, Func<ulong, bool> isRight) => _trial.Permit(target, () =>
    {
        StepResult result = _intruder.Step(step, address);
        return Attempt.Of(result.Reason != ReflectReason.None || !isRight(result.Value), result.ToString());
    });

    private void PermitData()
    {
        Step("own data, store", IntruderStep.Store, _intruder.Data, _ => true);
        Step("own data, load", IntruderStep.Load, _intruder.Data, value => value == 0);
    }

    private void PermitBranch() => Step("own text", IntruderStep.Branch, _intruder.Text + ((ulong)IntruderStep.ReadCounter * 16), value => value != 0);

    /// <summary>XnuProxy gets a message that it cannot serve, and says so.</summary>
    private void PermitSend() => _trial.Permit("XnuProxy", () => Accepted(_intruder.Send(ComponentEntry.UpcallSlot, MessageLabel.Random)));

    private static Attempt Accepted(params ReadOnlySpan<Status> statuses)
    {
        Status worst = Status.Ok;
        foreach (Status status in statuses)
        {
            worst = status == Status.Ok ? worst : status;
        }

        return Attempt.Of(worst != Status.Ok, worst.ToString());
    }
}
