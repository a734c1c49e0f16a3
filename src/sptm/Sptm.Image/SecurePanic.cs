using System;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>What happens when SK or a core component cannot go on (I12): the report, the end of entries, Linux lives on.</summary>
public static unsafe class SecurePanic
{
    /// <summary>A defect of SK: the secure world closes, this CPU goes back to Linux.</summary>
    public static TrapFrame* Fault(PerCpu* cpu, scoped ReadOnlySpan<byte> text)
    {
        ref TrapFrame frame = ref cpu->Secure;
        LineBuilder line = new(stackalloc byte[256]);
        line.Append(text);
        line.Append(", cpu "u8);
        line.AppendDecimal(cpu->Number);
        line.Append(" esr "u8);
        line.AppendHex(frame.Syndrome);
        line.Append(" pc "u8);
        line.AppendHex(frame.ProgramCounter);
        line.Append(" far "u8);
        line.AppendHex(frame.FaultAddress);
        line.Append(" ipa "u8);
        line.AppendHex(frame.FaultPage << 8);
        line.Append(" x30 "u8);
        line.AppendHex(frame.X[30]);
        Monitor.CloseSecure();
        Console.Urgent(line.Text);
        Console.Urgent("SPTM: the secure world is closed; Linux goes on without it"u8);
        switch ((GateEndpoint)cpu->Request)
        {
            case GateEndpoint.CpuOnline or GateEndpoint.Info:
                return Boot.StartLinux(cpu, firstWorld: false);
            default:
                cpu->Secure.X[1] = Tee.ReturnUnknown;
                return SecureGate.Leave(cpu);
        }
    }
}
