using System;
using System.IO;
using System.Linq;
using System.Text;
using Exclaves.Abi;
using Exclaves.ImageTool.Description;
using Xunit;

namespace Exclaves.ImageTool.Tests;

/// <summary>Large systems made out of the one that ships.</summary>
public class ScaleTests
{
    [Theory]
    [InlineData(2, 3)]
    [InlineData(3, 4)]
    [InlineData(64, 128)]
    [InlineData(92, 256)]
    [InlineData(92, 20)]
    public void ItHasWhatWasAskedForAndIsValid(int conclaves, int services)
    {
        SystemDescription system = Read(conclaves, services);
        Assert.Equal((conclaves, services), (system.Components.Count(c => (c.Flags & ComponentFlags.Core) == 0), system.Services.Count));
        Assert.Equal(services, system.Services.Select(s => s.Uuid).Distinct().Count());
        if (conclaves > 2)
        {
            Assert.Equal((ScaleSystem.ServiceUuid(services - 4), system.Components.Count - 1), (system.Services[^1].Uuid, system.Services[^1].Component));
        }
    }

    [Fact]
    public void ServicesAreSharedEvenly()
    {
        SystemDescription system = Read(64, 128);
        Assert.All(system.Services.Skip(3).GroupBy(s => s.Component), g => Assert.InRange(g.Count(), 2, 3));
        Assert.True(system.Components.Skip(6).Select(c => c.QuotaBytes).Distinct().Count() > 1);
    }

    [Theory]
    [InlineData("Hello", 1, 128, "has 2 conclaves and 3 services already")]
    [InlineData("Hello", 64, 1, "has 2 conclaves and 3 services already")]
    [InlineData("Hello", 2, 4, "need a conclave more")]
    [InlineData("Nobody", 64, 128, "have no conclave \"Nobody\"")]
    [InlineData("Signer", 64, 128, "have no conclave \"Signer\" without grants")]
    public void WhatCannotBeMadeIsRefused(string model, int conclaves, int services, string rule)
    {
        ImageToolException error = Assert.Throws<ImageToolException>(() => ScaleSystem.Enlarge("demo.json", File.ReadAllText(Repository.Demo), model, conclaves, services));
        Assert.Contains(rule, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(64, 128)]
    public void ItCanHaveOneConclaveAndItsCopiesAlone(int conclaves, int services)
    {
        string text = ScaleSystem.Enlarge("demo.json", ScaleSystem.Reduce(File.ReadAllText(Repository.Demo), "Hello"), "Hello", conclaves, services);
        SystemDescription system = SystemReader.Parse("scale.json", Encoding.UTF8.GetBytes(text));
        Assert.Equal((conclaves, services), (system.Components.Count(c => (c.Flags & ComponentFlags.Core) == 0), system.Services.Count));
        Assert.All(system.Components.Where(c => (c.Flags & ComponentFlags.Core) == 0), c => Assert.StartsWith("Hello", c.Name, StringComparison.Ordinal));
        Assert.Equal(Services.Hello, system.Services[0].Uuid.ToString("D"));
    }

    private static SystemDescription Read(int conclaves, int services) =>
        SystemReader.Parse("scale.json", Encoding.UTF8.GetBytes(ScaleSystem.Enlarge("demo.json", File.ReadAllText(Repository.Demo), "Hello", conclaves, services)));
}
