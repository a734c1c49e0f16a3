using System;
using System.Text;
using Exclaves.Client;
using Exclaves.Tightbeam;

namespace Vault;

/// <summary>Seals a text and checks the seal: `vault-client [--connect ADDRESS] TEXT`.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        string? address = null;
        if (arguments is ["--connect", string named, .. string[] rest])
        {
            (address, arguments) = (named, rest);
        }

        try
        {
            // Without an address: what EXCLAVE_CONNECT says, else the secure world.
            using ServiceConnection connection = ServiceConnection.Open(new ServiceName(Guid.Parse(VaultName.Uuid), "Vault"), address);
            VaultClient<ServiceConnection> vault = new(connection);

            byte[] text = Encoding.UTF8.GetBytes(string.Join(' ', arguments));
            byte[] tag = new byte[32];
            Result<VaultError> result = vault.Seal(text, tag, out int bytes);
            if (result.Error == VaultError.NoText)
            {
                Console.Error.WriteLine("vault-client: there is no text to seal");
                return 2;
            }

            vault.Require(result);
            Console.WriteLine($"tag: {Convert.ToHexString(tag.AsSpan(0, bytes))}");
            vault.Require(vault.Check(text, tag, out bool isGenuine));
            Console.WriteLine(isGenuine ? "it is genuine" : "it is FORGED");
            return 0;
        }
        catch (Exception error) when (error is TeeException or TightbeamException)
        {
            Console.Error.WriteLine($"vault-client: {error.Message}");
            return 1;
        }
    }
}
