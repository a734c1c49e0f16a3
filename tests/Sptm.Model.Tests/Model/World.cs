namespace Exclaves.Sptm.Model;

/// <summary>The two translations of stage 2.</summary>
internal enum World
{
    Linux,
    Secure,
}
