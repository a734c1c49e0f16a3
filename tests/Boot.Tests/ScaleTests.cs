using System;
using System.IO;
using System.Threading.Tasks;
using Exclaves.Cli;
using Exclaves.Cli.Image;
using Exclaves.ImageTool.Description;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>A system as large as one is meant to be.</summary>
public sealed class ScaleTests : IDisposable
{
    private const int Conclaves = 64;
    private const int Services = 128;

    private readonly string _folder = Directory.CreateTempSubdirectory("exclaves-scale-").FullName;

    [Fact]
    public async Task TheLastOfManyServicesAnswersAndOnlyWhoIsCalledRuns()
    {
        string system = Path.Combine(_folder, "scale.json");
        SystemImage.WriteScale(Workspace.Find(), Conclaves, Services, system);

        // The three services of the small system come before those that were added.
        Guid last = ScaleSystem.ServiceUuid(Services - 4);
        string said = await Guest.Require(
            Guest.Usual with { System = system },
            $"exclave-guest hello --count 100 && exclave-guest hello --count 100 --service {last} && exclave-guest stats");
        Assert.Equal(2, said.Split(": 0 lost, 0 wrong").Length - 1);
        Assert.Contains($"\nHello.{Conclaves - 2} ", said, StringComparison.Ordinal);
        Assert.Matches($"(?m)^Hello\\.{Conclaves - 2} +Running ", said);
        Assert.Matches("(?m)^Hello\\.1 +Idle ", said);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
