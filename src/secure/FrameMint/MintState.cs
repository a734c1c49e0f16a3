using Exclaves.Abi;

namespace Exclaves.FrameMint;

/// <summary>All of FrameMint's state.</summary>
public struct MintState
{
    /// <summary><see cref="ExclavesStatus.NotDefined"/> until it is asked; then ExclaveKit or Failure, for ever.</summary>
    public ExclavesStatus Stage;

    /// <summary>Pools that it has made.</summary>
    public uint Pools;
}
