using Exclaves.Kit;

namespace Exclaves.Samples.JsonStore;

internal static class Program
{
    private static void Main() => ServiceHost.Run(new JsonStoreService());
}
