using System.Runtime.CompilerServices;

namespace System.Security.Cryptography;

/// <summary>Handling of secrets: both in time that depends on lengths alone.</summary>
public static class CryptographicOperations
{
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static bool FixedTimeEquals(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        int difference = 0;
        for (int i = 0; i < left.Length; i++)
        {
            difference |= left[i] ^ right[i];
        }

        return difference == 0;
    }

    /// <summary>The clear is a call to assembly, so it is never optimised away.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void ZeroMemory(Span<byte> buffer) => buffer.Clear();
}
