using Exclaves.Kit;

namespace Vault;

internal static class Program
{
    private static void Main() => ServiceHost.Run(new VaultService());
}
