using Exclaves.Abi;

namespace Exclaves.Sptm.Image;

/// <summary>This CPU's own identification registers.</summary>
public readonly struct CpuIdentification : IIdReader
{
    public static ulong Read(uint crm, uint op2) => El2.ReadId(((crm - IdRegisters.FirstCrm) * 8) + op2);
}

/// <summary>What a CPU has, found on that CPU before its first world runs, and what a world sees of it where something is hidden.</summary>
public static unsafe class Identification
{
    /// <summary>Finds this CPU's features and closes what no world may use.</summary>
    public static void Find(PerCpu* cpu)
    {
        cpu->Features = CpuFeatures.Detect<CpuIdentification>();
        El2.CloseFeatures(cpu->Features);
    }

    /// <summary>MDCR_EL2 bits for this CPU.</summary>
    public static ulong Mdcr(CpuFeature features) =>
        CpuFeatures.Mdcr(features, CpuFeatures.Has(features, CpuFeature.Counters) ? (uint)(El2.ReadPmcr() >> 11) & 0x1F : 0);

    /// <summary>Answers a trapped read (HCR_EL2.TID3). False: the trap is of another kind.</summary>
    public static bool TryEmulate(PerCpu* cpu, ref TrapFrame frame, Syndrome syndrome)
    {
        if (syndrome.Class != ExceptionClass.SystemRegister || !IdRegisters.TryName(syndrome, out uint crm, out uint op2))
        {
            return false;
        }

        Monitor.Count(cpu, SptmCounter.IdentificationRead);
        int register = (int)(syndrome.Value >> 5) & 31;
        if (register != 31)
        {
            frame.X[register] = IdRegisters.Visible(crm, op2, CpuIdentification.Read(crm, op2));
        }

        frame.ProgramCounter += 4;
        return true;
    }
}
