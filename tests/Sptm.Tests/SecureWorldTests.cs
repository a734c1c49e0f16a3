using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>The secure world opens once; what closed it stays true (I12).</summary>
public class SecureWorldTests
{
    [Fact]
    public void NobodyIsLetInBeforeSkIsUp()
    {
        uint state = 0;
        Assert.False(SecureWorld.IsOpen(ref state));
        SecureWorld.Open(ref state);
        Assert.True(SecureWorld.IsOpen(ref state));
    }

    [Fact]
    public void ACpuThatComesLateDoesNotOpenItAgain()
    {
        uint state = 0;
        SecureWorld.Open(ref state);
        SecureWorld.Close(ref state);
        SecureWorld.Open(ref state);
        Assert.False(SecureWorld.IsOpen(ref state));
    }

    [Fact]
    public void APanicWhileItStartsKeepsItClosed()
    {
        uint state = 0;
        SecureWorld.Close(ref state);
        SecureWorld.Open(ref state);
        Assert.False(SecureWorld.IsOpen(ref state));
    }

    [Fact]
    public void OnlyTranslationFaultsNameTheirPage()
    {
        for (uint status = 0; status < 64; status++)
        {
            Assert.Equal(status is 4 or 5 or 6 or 7, new Syndrome((0x24ul << 26) | status).IsTranslationFault);
        }
    }
}
