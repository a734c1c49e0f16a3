using Exclaves.Kit;

namespace Exclaves.Features;

internal static class Program
{
    private static void Main() => ServiceHost.Run(new FeatureService());
}
