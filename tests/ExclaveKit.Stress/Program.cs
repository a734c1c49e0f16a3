using Exclaves.Kit;

namespace Exclaves.ExclaveKit.Stress;

internal static class Program
{
    private static void Main() => ServiceHost.Run(new StressService(), threads: 4);
}
