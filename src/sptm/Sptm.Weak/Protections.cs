namespace Exclaves.Sptm.Image;

/// <summary>The monitor with its protections left out, so that the tests of attacks can fail. Never shipped, never the default.</summary>
public static class Protections
{
    public static bool SecureFrames => false;
    public static bool LpiTables => false;
    public static bool SecureDevices => false;
    public static bool VerifiedImage => false;
    public static bool DmaWindow => false;
}
