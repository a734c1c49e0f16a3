using System.Runtime;
using Exclaves.Machine;

namespace Exclaves.Mistake;

/// <summary>Initialises a static field with something that is known at run time alone.</summary>
public static class Case
{
    private static readonly ulong Start = Arm64.ReadCntvctEl0();

    [RuntimeExport("mistake")]
    public static ulong Run() => Start;
}
