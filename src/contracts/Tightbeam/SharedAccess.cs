namespace Exclaves.Tightbeam;

/// <summary>What a service may do with a buffer lent to it.</summary>
public enum SharedAccess : uint
{
    None = 0,
    Read = 1,
    Write = 2,
}
