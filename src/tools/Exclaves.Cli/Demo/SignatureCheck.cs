using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Demo;

/// <summary>Judges signatures with the build machine's stock openssl, which knows nothing of us.</summary>
public sealed class SignatureCheck
{
    private readonly string _folder;
    private readonly CancellationToken _cancel;

    /// <param name="folder">Holds the public key; what is forged goes there as well.</param>
    /// <param name="cancel">Ends openssl.</param>
    public SignatureCheck(string folder, CancellationToken cancel)
    {
        _folder = folder;
        _cancel = cancel;
    }

    public async Task<bool> Verifies(string publicKey, string signature, string file)
    {
        ToolResult result = await Tool.Run("openssl", ["dgst", "-sha256", "-verify", publicKey, "-signature", signature, file], _cancel);
        return result.ExitCode == 0 && result.Output.Count > 0 && result.Output[0] == "Verified OK";
    }

    /// <summary>A signature of the same file by a key pair of the forger's own, on the same curve.</summary>
    public async Task<string> Forge(string file)
    {
        string key = Path.Combine(_folder, "forger.pem");
        string signature = Path.Combine(_folder, "forged.bin");
        await Tool.Require("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key], _cancel);
        await Tool.Require("openssl", ["dgst", "-sha256", "-sign", key, "-out", signature, file], _cancel);
        return signature;
    }

    /// <summary>The file with one bit changed; an empty file gets one byte.</summary>
    public string Change(string file)
    {
        string changed = Path.Combine(_folder, "changed");
        byte[] content = File.ReadAllBytes(file);
        if (content.Length == 0)
        {
            content = [0];
        }
        else
        {
            content[content.Length / 2] ^= 1;
        }

        File.WriteAllBytes(changed, content);
        return changed;
    }
}
