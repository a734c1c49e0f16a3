namespace Exclaves.Sptm.Model;

/// <summary>One line of the monitor changed into a defect.</summary>
/// <param name="File">In src/sptm/Sptm.</param>
/// <param name="Old">Occurs once in it.</param>
public sealed record Mutation(string Name, string File, string Old, string New)
{
    public override string ToString() => Name;
}
