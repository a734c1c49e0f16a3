using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.FrameMint.Image;

/// <summary>SK itself, through the Runtime's calls.</summary>
internal readonly struct MintSystem : IMintSystem
{
    public static Status MakePool(uint from, uint pool) => SecureCalls.Retype(from, ObjectKind.Untyped, MintSlots.PoolSizeLog2, pool, 1);

    public static Status MintKit(uint kit) => SecureCalls.MintKit(kit);
}
