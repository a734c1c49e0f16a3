using Exclaves.Kit;

namespace Exclaves.Samples.Workers;

internal static class Program
{
    /// <summary>Four calls at once: sessions share nothing, so they are safe for it.</summary>
    private static void Main() => ServiceHost.Run(new WorkersService(), threads: 4);
}
