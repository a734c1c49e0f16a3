using Exclaves.Kit;

namespace Exclaves.Vectors;

internal static class Program
{
    private static void Main() => ServiceHost.Run(new VectorsService(), threads: 4);
}
