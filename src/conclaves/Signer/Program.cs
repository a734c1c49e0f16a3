using Exclaves.Kit;

namespace Exclaves.Signer;

internal static class Program
{
    private static void Main() => ServiceHost.Run(new SignerService());
}
