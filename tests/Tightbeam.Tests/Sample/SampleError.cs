namespace Exclaves.Tightbeam.Sample;

/// <summary>Errors of the service's own.</summary>
public enum SampleError : uint
{
    None = 0,
    Empty = 1,
    TooLoud = 7,
}
