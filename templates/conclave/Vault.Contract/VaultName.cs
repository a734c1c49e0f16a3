namespace Vault;

/// <summary>The service's name in the secure world, as system.json declares it.</summary>
public static class VaultName
{
    public const string Uuid = "7d1e9c52-4b0a-4f6e-9a3d-5c8b2e61f047";
}
