using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.AbiTool;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>Who may call what: the compiled tables against dispatch.json, all callers, all tables, and the numbers around each endpoint.</summary>
public class DispatchTests
{
    private static readonly DispatchModel Model = DispatchModel.Parse(File.ReadAllText(Path.Combine(Root(), "src/contracts/Abi/dispatch.json")));

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../.."));

    [Theory]
    [InlineData("src/contracts/Abi/Dispatch.cs")]
    [InlineData("docs/abi.md")]
    public void FilesInTheTreeAreThoseOfTheSource(string file)
    {
        string expected = file.EndsWith(".md", StringComparison.Ordinal) ? DocumentWriter.Write(Model) : CodeWriter.Write(Model);
        Assert.True(File.ReadAllText(Path.Combine(Root(), file)) == expected, $"{file} is old: run dotnet run --project src/tools/Exclaves.AbiTool");
    }

    /// <summary>Every endpoint, its neighbours, the ends, and each with one bit more.</summary>
    private static IEnumerable<uint> Endpoints() => Model.Tables
        .SelectMany(table => table.Functions ?? [])
        .SelectMany(function => new[] { function.Number, function.Number + 1, function.Number - 1 })
        .Concat([0u, 1u, 255u, 256u, uint.MaxValue, 0x8000_0000])
        .SelectMany(number => Enumerable.Range(0, 32).Select(bit => number ^ (1u << bit)).Append(number))
        .Distinct();

    [Fact]
    public void OnlyTheListedCallsAreLegal()
    {
        uint[] endpoints = [.. Endpoints()];
        for (uint caller = 0; caller < 32; caller++)
        {
            string? name = Model.Domains.FirstOrDefault(domain => domain.Number == caller)?.Name;
            for (uint number = 0; number < 256; number++)
            {
                TableModel? table = Model.Tables.FirstOrDefault(one => one.Number == number && name != null && one.Callers.Contains(name));
                HashSet<uint> known = [.. table?.Functions?.Select(function => function.Number) ?? (table is { Pseudo: true } ? [0u] : [])];
                foreach (uint endpoint in endpoints)
                {
                    ulong target = ((ulong)number << 32) | endpoint;
                    Assert.Equal(known.Contains(endpoint), Dispatch.IsLegal((Domain)caller, target));
                }
            }
        }
    }

    [Fact]
    public void NoOtherBitOfATargetMayBeSet()
    {
        ulong good = Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.Log);
        Assert.True(Dispatch.IsLegal(Domain.Sk, good));
        for (int bit = 32; bit < 64; bit++)
        {
            ulong target = good ^ (1ul << bit);
            bool isOtherLegalTable = Dispatch.IsLegal(Domain.Sk, target);
            Assert.False(isOtherLegalTable);
        }
    }

    /// <summary>SecureGate.FromSecure takes this target for legal without a look into the tables.</summary>
    [Fact]
    public void TheGateTakesTheAnswerOfSkAlone()
    {
        for (uint caller = 0; caller < 32; caller++)
        {
            Assert.Equal((Domain)caller == Domain.Sk, Dispatch.IsLegal((Domain)caller, Dispatch.Target(DispatchTable.ReturnToCaller, 0)));
        }
    }

    [Fact]
    public void ZeroIsNoCallOfSk() => Assert.False(Dispatch.IsLegal(Domain.Sk, 0));

    [Fact]
    public void LinuxIsServedAsTheTableSays()
    {
        TableModel table = Model.Tables.Single(one => one.Enum == nameof(XnuFunction));
        Dictionary<uint, string> handling = table.Functions!.ToDictionary(function => function.Number, function => function.Handling!);
        foreach (uint owner in new uint[] { 0x3200_0000, 0xB200_0000, 0xBF00_0000, 0x8400_0000, 0xC400_0000, 0x7200_0000, 0xF200_0000, 0 })
        {
            for (uint number = 0; number < 0x10000; number++)
            {
                string expected = handling.GetValueOrDefault(owner | number, nameof(XnuCallHandling.Unknown));
                Assert.Equal(expected, Dispatch.HandlingOf((XnuFunction)(owner | number)).ToString());
            }
        }
    }

    [Fact]
    public void NumbersAreUnique()
    {
        Assert.Equal(Model.Tables.Count, Model.Tables.Select(table => table.Number).Distinct().Count());
        foreach (TableModel table in Model.Tables.Where(one => one.Functions != null))
        {
            Assert.Equal(table.Functions!.Count, table.Functions.Select(function => function.Number).Distinct().Count());
        }
    }
}
