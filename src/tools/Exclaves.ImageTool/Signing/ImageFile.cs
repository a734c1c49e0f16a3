using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Signing;

/// <summary>A finished image, open: its parts by physical address.</summary>
public sealed class ImageFile : IDisposable
{
    private readonly string _file;
    private readonly FileStream _stream;

    private ImageFile(string file, FileStream stream)
    {
        _file = file;
        _stream = stream;
        Root = Read<TrustRoot>(Virt.SptmBase + TrustRoot.Offset);
        Manifest = Read<ImageManifest>(Virt.ManifestBase);
        if (Root.Magic != TrustRoot.MagicValue || Root.Version != TrustRoot.CurrentVersion
            || Manifest.Magic != ImageManifest.MagicValue || Manifest.Version != ImageManifest.CurrentVersion
            || Manifest.PartCount > ImageManifest.MaxParts)
        {
            throw new ImageToolException(_file, "", "is not an Exclaves image of this version.");
        }
    }

    public TrustRoot Root { get; private set; }

    public ImageManifest Manifest { get; private set; }

    /// <exception cref="ImageToolException">Not an image, or cut off.</exception>
    public static ImageFile Open(string file, FileAccess access)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(file, FileMode.Open, access);
            return new ImageFile(file, stream);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw new ImageToolException(file, "", error is FileNotFoundException or DirectoryNotFoundException ? "is missing." : error.Message);
        }
        catch (ImageToolException)
        {
            stream?.Dispose();
            throw;
        }
    }

    public Digest Hash(ulong address, ulong bytes)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 20];
        for (ulong done = 0; done < bytes;)
        {
            int part = (int)Math.Min(bytes - done, (ulong)buffer.Length);
            ReadBytes(address + done, buffer.AsSpan(0, part));
            hash.AppendData(buffer, 0, part);
            done += (ulong)part;
        }

        Digest digest = default;
        hash.GetHashAndReset(digest);
        return digest;
    }

    public byte[] Signature()
    {
        byte[] signature = new byte[SignatureBlock.UsedBytes];
        ReadBytes(Virt.ManifestBase + ImageManifest.SignedBytes, signature);
        return signature;
    }

    public void Write(in TrustRoot root)
    {
        Root = root;
        WriteAt(Virt.SptmBase + TrustRoot.Offset, root);
    }

    public void Write(in ImageManifest manifest)
    {
        Manifest = manifest;
        WriteAt(Virt.ManifestBase, manifest);
    }

    /// <summary>Writes the signature block, zeros behind the signature.</summary>
    public void WriteSignature(ReadOnlySpan<byte> signature)
    {
        SignatureBlock block = default;
        signature.CopyTo(block);
        WriteAt(Virt.ManifestBase + ImageManifest.SignedBytes, block);
    }

    public void Dispose() => _stream.Dispose();

    private T Read<T>(ulong address)
        where T : unmanaged
    {
        byte[] bytes = new byte[Unsafe.SizeOf<T>()];
        ReadBytes(address, bytes);
        return MemoryMarshal.Read<T>(bytes);
    }

    private void ReadBytes(ulong address, Span<byte> target)
    {
        if (address < Virt.ImageBase || address - Virt.ImageBase > (ulong)_stream.Length || (ulong)target.Length > (ulong)_stream.Length - (address - Virt.ImageBase))
        {
            throw new ImageToolException(_file, "", "is not an Exclaves image, or cut off.");
        }

        _stream.Position = (long)(address - Virt.ImageBase);
        _stream.ReadExactly(target);
    }

    private void WriteAt<T>(ulong address, in T value)
        where T : unmanaged
    {
        _stream.Position = (long)(address - Virt.ImageBase);
        _stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
        _stream.Flush();
    }
}
