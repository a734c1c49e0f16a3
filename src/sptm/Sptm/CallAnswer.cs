namespace Exclaves.Sptm;

/// <summary>What a call of Linux gets back in x0 to x3.</summary>
public struct CallAnswer
{
    public ulong X0;
    public ulong X1;
    public ulong X2;
    public ulong X3;

    public static CallAnswer Of(ulong x0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0) => new() { X0 = x0, X1 = x1, X2 = x2, X3 = x3 };
}
