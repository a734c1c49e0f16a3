using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using Exclaves.Abi;
using Exclaves.Kit;
using Exclaves.Tightbeam;

namespace Exclaves.ExclaveKit.Bench;

/// <summary>What is measured of a .NET conclave (Abi.BenchOperation).</summary>
public sealed class BenchService : ConclaveService
{
    private const int PieceBytes = 1 << 20;
    private const int PageBytes = 4096;

    private byte[]? _copy;
    private IncrementalHash? _hash;
    private AesGcm? _cipher;

    public override void Invoke(ServiceCall call)
    {
        switch ((BenchOperation)call.Operation)
        {
            case BenchOperation.Null:
                break;
            case BenchOperation.Digest:
                Digest(call.Lent(0), call.Lent(1));
                break;
            case BenchOperation.Seal:
                Seal(call.Lent(0), call.Lent(1));
                break;
            case BenchOperation.Grow:
                (uint pieces, _) = call.Values(0);
                call.SetValues(1, Grow(pieces), 0);
                break;
            case BenchOperation.End:
                Environment.Exit(0);
                break;
            default:
                throw new ServiceException(Tee.ErrorNotSupported);
        }
    }

    /// <summary>Where it lies: each byte is looked at once, by the hash alone, and whatever it was then is what the digest is of.</summary>
    private void Digest(SharedBuffer data, SharedBuffer digest)
    {
        _hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _hash.AppendData(data.Memory);
        Span<byte> result = stackalloc byte[SHA256.HashSizeInBytes];
        _ = _hash.GetHashAndReset(result);
        Require(digest.Write(0, result));
    }

    /// <summary>In place. Key and nonce are zero, so that the result is known; nothing that is worth a secret goes through here.</summary>
    private void Seal(SharedBuffer data, SharedBuffer tag)
    {
        _cipher ??= new AesGcm(new byte[32], AesGcm.TagByteSizes.MaxSize);
        _copy ??= new byte[PieceBytes];
        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        Span<byte> authentication = stackalloc byte[AesGcm.TagByteSizes.MaxSize];
        nonce.Clear();
        Span<byte> copy = _copy.AsSpan(0, data.Length);
        Require(data.Read(0, copy));
        _cipher.Encrypt(nonce, copy, copy, authentication);
        Require(data.Write(0, copy));
        Require(tag.Write(0, authentication));
    }

    /// <summary>Pieces of memory that could be had and used at once, up to as many.</summary>
    private static uint Grow(uint pieces)
    {
        List<byte[]> hoard = [];
        try
        {
            while (hoard.Count < pieces)
            {
                byte[] piece = new byte[PieceBytes];
                for (int i = 0; i < piece.Length; i += PageBytes) { piece[i] = (byte)hoard.Count; }

                hoard.Add(piece);
            }
        }
        catch (OutOfMemoryException)
        {
            // What there is, is counted.
        }

        uint good = 0;
        for (int i = 0; i < hoard.Count; i++)
        {
            byte[] piece = hoard[i];
            good += piece[0] == (byte)i && piece[PieceBytes - PageBytes] == (byte)i ? 1u : 0;
        }

        hoard.Clear();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        return good;
    }

    private static void Require(Status status)
    {
        if (status != Status.Ok) { throw new ServiceException(Tee.ErrorBadParameters); }
    }
}
