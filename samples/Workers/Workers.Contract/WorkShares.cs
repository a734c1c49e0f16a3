namespace Exclaves.Samples.Workers;

/// <summary>How many leaves each worker has done.</summary>
public readonly struct WorkShares(uint first, uint second, uint third, uint fourth)
{
    public uint First { get; } = first;

    public uint Second { get; } = second;

    public uint Third { get; } = third;

    public uint Fourth { get; } = fourth;

    public uint Sum => First + Second + Third + Fourth;
}
