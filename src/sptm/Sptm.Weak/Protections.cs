using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.Sptm.Image;

/// <summary>The monitor with defences left out, so that the tests of attacks can fail. Never shipped, never the default.</summary>
/// <remarks>Which ones, a mask in the image says (weak.S); whoever builds an image for a test sets it.</remarks>
public static class Protections
{
    public static bool SecureFrames => Has(Defence.SecureFrames);
    public static bool LpiTables => Has(Defence.LpiTables);
    public static bool SecureDevices => Has(Defence.SecureDevices);
    public static bool VerifiedImage => Has(Defence.VerifiedImage);
    public static bool DmaWindow => Has(Defence.DmaWindow);
    public static bool KernelFrames => Has(Defence.KernelFrames);
    public static bool WorldDebug => Has(Defence.WorldDebug);

    private static bool Has(Defence defence) => (Mask() & (1ul << (int)defence)) == 0;

    [RuntimeImport("*", "weak_mask")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong Mask();
}
