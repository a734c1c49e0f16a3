using Exclaves.Kit;

namespace Exclaves.ExclaveKit.Bench;

internal static class Program
{
    private static void Main() => ServiceHost.Run(new BenchService());
}
