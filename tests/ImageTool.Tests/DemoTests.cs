using System;
using System.Linq;
using System.Text.Json;
using Exclaves.Abi;
using Exclaves.ImageTool.Description;
using Xunit;

namespace Exclaves.ImageTool.Tests;

/// <summary>The system that ships.</summary>
public class DemoTests
{
    [Fact]
    public void ItIsValid()
    {
        SystemDescription demo = SystemReader.Read(Repository.Demo);
        Assert.Equal(["XnuProxy", "LogServer", "Entropy", "Hello", "Signer", "FrameMint"], demo.Components.Select(c => c.Name));
    }

    /// <summary>Everybody but the proxy may write, under a badge that is his own name; the log itself calls nobody.</summary>
    [Fact]
    public void TheLogIsEverybodysToWrite()
    {
        SystemDescription demo = SystemReader.Read(Repository.Demo);
        (int Index, ComponentDescription Component)[] all = [.. demo.Components.Index()];
        int log = all.Single(c => c.Component.Name == "LogServer").Index;
        Assert.Equal([(GrantKind.Counters, 3u)], all[log].Component.Grants.Select(g => (g.Kind, g.Slot)));
        Assert.Equal(ComponentFlags.Core | ComponentFlags.Log | ComponentFlags.Measurements, all[log].Component.Flags);
        Assert.All(all.Where(c => c.Index != log), c => Assert.Equal(
            c.Component.Name == "XnuProxy" ? [] : [(ComponentEntry.LogSlot, (ulong)c.Index + 1)],
            c.Component.Grants.Where(g => g.Kind == GrantKind.Endpoint && g.Argument == (ulong)log).Select(g => (g.Slot, g.Badge))));
    }

    /// <summary>XnuProxy alone calls it, with the badge that nobody else has.</summary>
    [Fact]
    public void FrameMintHasTheKitAndWhatIsLeft()
    {
        SystemDescription demo = SystemReader.Read(Repository.Demo);
        (int Index, ComponentDescription Component)[] all = [.. demo.Components.Index()];
        (int index, ComponentDescription mint) = all.Single(c => c.Component.Name == "FrameMint");
        Assert.Equal(ComponentFlags.Core | ComponentFlags.FrameMint, mint.Flags);
        Assert.Equal(
            [(GrantKind.Kit, MintSlots.Kit), (GrantKind.Endpoint, ComponentEntry.LogSlot), (GrantKind.UntypedRest, MintSlots.Rest)],
            mint.Grants.Select(g => (g.Kind, g.Slot)));
        Assert.Equal(
            [("XnuProxy", MintSlots.Proxy, ComponentEntry.ProxyBadge)],
            all.SelectMany(c => c.Component.Grants.Where(g => g.Kind == GrantKind.Endpoint && g.Argument == (ulong)index).Select(g => (c.Component.Name, g.Slot, g.Badge))));
    }

    [Theory]
    [InlineData("org.exclaves.hello", Services.Hello)]
    [InlineData("org.exclaves.signer", Services.Signer)]
    [InlineData("org.exclaves.log", Services.Log)]
    public void ItsServicesHaveTheUuidsOfTheAbi(string name, string uuid)
    {
        SystemDescription demo = SystemReader.Read(Repository.Demo);
        Assert.Equal(Guid.Parse(uuid), demo.Services.Single(s => s.Name == name).Uuid);
    }

    [Fact]
    public void TheSchemaKnowsTheSameMembersAsTheReader()
    {
        using JsonDocument schema = JsonDocument.Parse(System.IO.File.ReadAllText(System.IO.Path.Combine(Repository.Root, "systems", "system.schema.json")));
        JsonElement definitions = schema.RootElement.GetProperty("$defs");
        Assert.Equal(["$schema", "sptm", "txm", "sk", "kit", "pool", "stopOnPanic", "components", "services"], Members(schema.RootElement));
        Assert.Equal(["name", "kind", "program", "quota", "donated", "core", "proxy", "threads", "maxThreads", "lentBuffers", "log", "frameMint", "measurements", "grants"], Members(definitions.GetProperty("component")));
        Assert.Equal(["slot", "endpoint", "badge", "device", "interrupt", "dmaAddress", "counters", "untyped"], Members(definitions.GetProperty("grant")));
        Assert.Equal(["name", "uuid", "component", "onBus"], Members(definitions.GetProperty("service")));
        Assert.Equal(DeviceCatalog.Pages.Keys, definitions.GetProperty("grant").GetProperty("properties").GetProperty("device").GetProperty("enum").EnumerateArray().Select(e => e.GetString()!));
    }

    [Fact]
    public void TheSchemaKnowsTheSameLimitsAsTheReader()
    {
        using JsonDocument schema = JsonDocument.Parse(System.IO.File.ReadAllText(System.IO.Path.Combine(Repository.Root, "systems", "system.schema.json")));
        JsonElement lists = schema.RootElement.GetProperty("properties");
        JsonElement definitions = schema.RootElement.GetProperty("$defs");
        JsonElement component = definitions.GetProperty("component").GetProperty("properties");
        Assert.Equal(SystemReader.MaxComponents, lists.GetProperty("components").GetProperty("maxItems").GetInt32());
        Assert.Equal(SystemReader.MaxServices, lists.GetProperty("services").GetProperty("maxItems").GetInt32());
        Assert.Equal(ComponentEntry.MaxGrants, component.GetProperty("grants").GetProperty("maxItems").GetInt32());
        Assert.Equal(SystemReader.MaxThreads, component.GetProperty("threads").GetProperty("maximum").GetUInt32());
        Assert.Equal(SystemReader.MostThreads, component.GetProperty("maxThreads").GetProperty("maximum").GetUInt32());
        Assert.Equal(SystemReader.MaxSlot, definitions.GetProperty("grant").GetProperty("properties").GetProperty("slot").GetProperty("maximum").GetUInt32());
    }

    private static string[] Members(JsonElement type) => [.. type.GetProperty("properties").EnumerateObject().Select(p => p.Name)];
}
