using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Kit;

namespace Exclaves.Signer;

/// <summary>The Signer conclave: <see cref="ISigner"/>, one <see cref="SignerKeys"/> for each session.</summary>
public sealed class SignerService : TightbeamService<ISigner, SignerDispatcher<ISigner>>
{
    /// <summary>Keys at one time; each costs a few KiB of the conclave's quota.</summary>
    public const int MaxKeys = 64;

    public SignerService()
        : this(new KeyBudget(MaxKeys))
    {
    }

    private SignerService(KeyBudget budget)
        : base(() => new SignerKeys(budget))
    {
    }

    protected override void InvokeNumbered(ServiceCall call)
    {
        if ((SignerOperation)call.Operation != SignerOperation.Null)
        {
            base.InvokeNumbered(call);
        }
    }
}
