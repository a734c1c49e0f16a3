using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Exclaves.Abi;
using Exclaves.Txm;
using Xunit;

namespace Exclaves.SecureBoot.Tests;

/// <summary>Structures fit the places that assembly and other domains know.</summary>
public class LayoutTests
{
    [Fact]
    public void AssemblyRepeatsTheStructures()
    {
        Assert.Equal(Define("start.S", "REQUEST_COOKIE"), Marshal.OffsetOf<TxmRequest>(nameof(TxmRequest.Cookie)).ToInt64());
        Assert.Equal(TrustRoot.SlotBytes, Define("layout.h", "TRUST_ROOT_BYTES"));
        Assert.Equal(1ul << 32, Abi.Txm.VerdictCall);
    }

    [Fact]
    public void EverythingFitsItsPlace()
    {
        Assert.InRange(Unsafe.SizeOf<TrustRoot>(), 1, TrustRoot.SlotBytes);
        Assert.InRange(Unsafe.SizeOf<ImageManifest>(), 1, ImageManifest.SignedBytes);
        Assert.InRange(Unsafe.SizeOf<MeasurementLog>(), 1, (int)MeasurementLog.Bytes);
        Assert.InRange(Unsafe.SizeOf<TxmRequest>(), 1, 4096);
        Assert.Equal(ManifestVerifier<DotNetCryptography>.SignerOffset, Marshal.OffsetOf<ImageManifest>(nameof(ImageManifest.Signer)).ToInt64());

        // SPTM, TXM, manifest, kernel and initramfs besides the parts.
        Assert.InRange(MeasurementLog.MaxEntries, ImageManifest.MaxParts + 4, int.MaxValue);
    }

    private static long Define(string file, string name)
    {
        Match match = Regex.Match(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, file)), $@"#define\s+{name}\s+(\d+)");
        Assert.True(match.Success, name);
        return long.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }
}
