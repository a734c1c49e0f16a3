using System;
using System.Security.Cryptography;
using Exclaves.Abi;
using Exclaves.Sptm;
using Xunit;

namespace Exclaves.SecureBoot.Tests;

/// <summary>The monitor's SHA-256 says what everybody's does. (Its machine instructions are compared by the boot test's log.)</summary>
public class Sha256Tests
{
    [Fact]
    public void EveryLengthThroughSeveralBlocksIsPaddedRight()
    {
        byte[] data = new byte[400];
        new Random(1).NextBytes(data);
        for (int length = 0; length <= data.Length; length++)
        {
            Sha256<Sha256Portable>.Hash(data.AsSpan(0, length), out Digest digest);
            Assert.Equal(SHA256.HashData(data.AsSpan(0, length)), ((ReadOnlySpan<byte>)digest).ToArray());
        }
    }

    [Fact]
    public void ALongRangeIsHashedInOneGo()
    {
        byte[] data = new byte[1_000_003];
        new Random(2).NextBytes(data);
        Sha256<Sha256Portable>.Hash(data, out Digest digest);
        Assert.Equal(SHA256.HashData(data), ((ReadOnlySpan<byte>)digest).ToArray());
    }

    [Fact]
    public void TheRegisterExtendsAsATpms()
    {
        Digest register = default;
        Digest next = default;
        next[0] = 1;
        Sha256<Sha256Portable>.Extend(ref register, next);
        byte[] both = new byte[64];
        both[32] = 1;
        Assert.Equal(SHA256.HashData(both), ((ReadOnlySpan<byte>)register).ToArray());
    }
}
