using System;
using System.CommandLine;
using System.IO;
using System.Text;
using Exclaves.Client;
using Exclaves.Host;

namespace Exclaves.Sign;

/// <summary>`exclave-sign`: signatures with a key that this Linux cannot reach.</summary>
internal static class Program
{
    public static int Main(string[] arguments) => CommandLineProgram.Run("exclave-sign", Commands(), arguments);

    private static RootCommand Commands()
    {
        Option<string?> device = new("--device") { Description = $"TEE device to use, {TeeDevice.DefaultPath} when left out.", Recursive = true };
        Option<string?> connect = new("--connect")
        {
            Description = $"Where Signer is: tee:DEVICE, or unix:SOCKET for one that runs as a process of this machine, which protects nothing. {ServiceConnection.Variable} says it for every call.",
            Recursive = true,
        };

        Argument<string> file = new("FILE") { Description = "File to sign." };
        Option<string> signature = new("--signature") { Description = "Where to write the signature, DER.", Required = true };
        Option<string> publicFile = new("--public") { Description = "Where to write the public key, PEM.", Required = true };
        Command sign = new("sign", "Make a key pair inside the conclave and sign a file with it: ECDSA P-256 over its SHA-256 digest.") { file, signature, publicFile };
        sign.SetAction(parsed => Sign(
            parsed.GetValue(connect) ?? (parsed.GetValue(device) is { } path ? "tee:" + path : null), parsed.GetValue(file)!, parsed.GetValue(signature)!, parsed.GetValue(publicFile)!));

        return new RootCommand("Signs files with a key that lives in a conclave.") { device, connect, sign };
    }

    private static int Sign(string? address, string file, string signatureFile, string publicFile)
    {
        byte[] digest;
        try
        {
            using FileStream stream = File.OpenRead(file);
            digest = Sha256.Hash(stream);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"cannot read {file}: {Reason(error)}", error);
        }

        using SignerClient signer = SignerClient.Over(ServiceConnection.Open(ServiceName.Signer, address));
        byte[] publicKey = signer.Generate();
        byte[] signature = signer.Sign(digest);
        Write(publicFile, Encoding.ASCII.GetBytes(Pem.Encode(publicKey)));
        Write(signatureFile, signature);
        return 0;
    }

    private static void Write(string file, byte[] content)
    {
        try
        {
            File.WriteAllBytes(file, content);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"cannot write {file}: {Reason(error)}", error);
        }
    }

    // The runtime's own messages are left out of the executable, so the usual ones are spelled here.
    private static string Reason(Exception error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException => "permission denied, or it is a directory",
        _ => "input or output error, or the disk is full",
    };
}
