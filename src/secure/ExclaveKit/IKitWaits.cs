using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>How threads of a conclave wait for each other.</summary>
public interface IKitWaits
{
    /// <summary>Waits as <see cref="SecureCall.WaitEpoch"/> describes.</summary>
    Status WaitEpoch(ulong id, ulong epoch, uint owner, ulong deadline);

    void WakeEpoch(ulong id, ulong epoch, EpochWake whom, int thread);
}
