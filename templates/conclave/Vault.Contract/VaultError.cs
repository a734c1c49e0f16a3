namespace Vault;

/// <summary>Why <see cref="IVault"/> refuses.</summary>
public enum VaultError : uint
{
    None = 0,
    NoText = 1,
}
