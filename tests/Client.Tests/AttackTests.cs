using System;
using System.Linq;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Exclaves.Attack;
using Exclaves.Attacks;
using Xunit;

namespace Exclaves.Client.Tests;

/// <summary>The parts of the attack program that decide what an attack brought.</summary>
public class AttackTests
{
    [Fact]
    public void RequestIsTheModules()
    {
        Assert.Equal(144, Unsafe.SizeOf<AttackRequest>());
        Assert.Equal((3u << 30) | (144u << 16) | ((uint)'X' << 8) | 1, AttackRequest.Number);
    }

    [Fact]
    public void EveryAttackOfTheCatalogueHasCodeAndEveryCodeARow() =>
        Assert.Equal(AttackCatalogue.All.Select(row => row.Name).Order(), Suite.Create().Names.Order());

    [Fact]
    public void EveryInvariantIsAttackedInFourWaysAndThereAreSixtyAttacks()
    {
        Assert.True(AttackCatalogue.All.Count >= 60, $"{AttackCatalogue.All.Count} attacks");
        Assert.All(Enum.GetValues<Invariant>(), invariant =>
            Assert.True(AttackCatalogue.All.Where(row => row.Invariant == invariant).Select(row => row.Mechanism).Distinct().Count() >= 4, $"{invariant}"));
    }

    [Fact]
    public void EveryAttackHasAControlAndNamesWhoStopsIt() => Assert.All(AttackCatalogue.All, row =>
    {
        Assert.True(row.Control.Exists, row.Name);
        Assert.Matches("^(SPTM|SK|XnuProxy|TXM|ExclaveKit|Entropy)", row.StoppedBy);
    });

    [Fact]
    public void ScalarsGiveTheirPublicPoints()
    {
        P256 curve = new();
        for (int i = 0; i < 20; i++)
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            ECParameters parameters = key.ExportParameters(includePrivateParameters: true);
            BigInteger x = new(parameters.Q.X!, isUnsigned: true, isBigEndian: true);
            Assert.True(curve.HasPublicX(Limbs(parameters.D!), x));
            Assert.False(curve.HasPublicX(Limbs(parameters.D!), x + 1));
            parameters.D![31] ^= 1;
            Assert.False(curve.HasPublicX(Limbs(parameters.D), x));
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void OneIsAScalarZeroIsNot(ulong value, bool expected) => Assert.Equal(expected, P256.IsScalar([value, 0, 0, 0]));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void KeysAreFoundInBothByteOrders(bool bigEndian)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters parameters = key.ExportParameters(includePrivateParameters: true);
        byte[] memory = new byte[256 * 1024];
        new Random(4).NextBytes(memory.AsSpan(0, 2048)); // other things that look random
        if (!bigEndian)
        {
            Array.Reverse(parameters.D!);
        }

        parameters.D!.CopyTo(memory, 0x21348);
        P256.MontgomeryBytes(new BigInteger(parameters.Q.X!, isUnsigned: true, isBigEndian: true)).CopyTo(memory, 0x30000);
        KeySearchResult found = KeySearch.Search(memory, key.ExportSubjectPublicKeyInfo());
        Assert.Equal(0x21348, found.PrivateKeyAt);
        Assert.Equal(1, found.PublicCopies);
    }

    [Fact]
    public void AnotherKeyIsNotFound()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] memory = new byte[4096];
        new Random(5).NextBytes(memory);
        KeySearchResult found = KeySearch.Search(memory, key.ExportSubjectPublicKeyInfo());
        Assert.Null(found.PrivateKeyAt);
        Assert.Equal(0, found.PublicCopies);
    }

    [Fact]
    public void SomethingThatIsNoPublicKeyIsRefused() =>
        Assert.Throws<ArgumentException>(() => KeySearch.Search(new byte[64], new byte[65]));

    private static ulong[] Limbs(byte[] bigEndian)
    {
        ulong[] limbs = new ulong[4];
        byte[] bytes = (byte[])bigEndian.Clone();
        Array.Reverse(bytes);
        Buffer.BlockCopy(bytes, 0, limbs, 0, 32);
        return limbs;
    }
}
