using System.Security.Cryptography;
using Exclaves.Kit;

namespace Vault;

/// <summary>The conclave: one key, and an object for each session that uses it.</summary>
public sealed class VaultService : TightbeamService<IVault, VaultDispatcher<IVault>>
{
    public VaultService()
        : this(RandomNumberGenerator.GetBytes(32))
    {
    }

    private VaultService(byte[] key)
        : base(() => new VaultSession(key))
    {
    }
}
