using System;
using System.IO;
using System.Text.Json.Nodes;
using Exclaves.Cli.Image;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>What a conclave outside the repository adds to a system.</summary>
public sealed class SystemAdditionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("exclaves-addition-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void PathsThatBeginWithADotAreRelativeToTheFile()
    {
        SystemAddition addition = Read("""
            { "publish": ["./A/A.csproj"], "programs": ["../b"], "components": [{ "name": "A", "program": "./out/a" }, { "name": "B", "program": "obj/b" }] }
            """);
        Assert.Equal([Path.Combine(_folder, "A", "A.csproj")], addition.Publish);
        Assert.Equal([Path.Combine(Path.GetDirectoryName(_folder)!, "b")], addition.Programs);

        JsonObject system = JsonNode.Parse("""{ "components": [{ "name": "X" }], "services": [] }""")!.AsObject();
        addition.AddTo(system);
        Assert.Equal(3, system["components"]!.AsArray().Count);
        Assert.Equal(Path.Combine(_folder, "out", "a"), (string?)system["components"]![1]!["program"]);
        Assert.Equal("obj/b", (string?)system["components"]![2]!["program"]);
        Assert.Null(system["pool"]);
    }

    [Fact]
    public void ItsPoolTakesTheSystemsPlace()
    {
        JsonObject system = JsonNode.Parse("""{ "pool": "128 MiB", "components": [], "services": [] }""")!.AsObject();
        Read("""{ "pool": "192 MiB", "services": [{ "name": "s" }] }""").AddTo(system);
        Assert.Equal("192 MiB", (string?)system["pool"]);
        Assert.Equal("s", (string?)system["services"]![0]!["name"]);
    }

    [Theory]
    [InlineData("""{ "component": [] }""", "'component' is none of")]
    [InlineData("""{ "programs": [1] }""", "")]
    [InlineData("""{ "components": ["A"] }""", "an entry of 'components' is no object")]
    [InlineData("""{ "services": {} }""", "")]
    [InlineData("[]", "it is no object")]
    [InlineData("{", "")]
    public void WhatItDoesNotUnderstandIsOneLineThatNamesTheFile(string text, string expected)
    {
        ExclaveException error = Assert.Throws<ExclaveException>(() => Read(text));
        Assert.StartsWith(Path.Combine(_folder, "system.json") + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private SystemAddition Read(string text)
    {
        string file = Path.Combine(_folder, "system.json");
        File.WriteAllText(file, text);
        return SystemAddition.Read(file);
    }
}
