extern alias generator;
using System;
using System.Collections.Generic;
using System.Linq;
using generator::Exclaves.Tightbeam.Generator;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Exclaves.Tightbeam.Tests;

/// <summary>What may be declared, what the messages name, and that an edit elsewhere costs nothing.</summary>
public class GeneratorTests
{
    private const string Frame = """
        using System;
        using Exclaves.Abi;
        using Exclaves.Tightbeam;

        namespace Test;

        public enum Small : byte { None, Some }
        public enum Wide : long { None }
        public enum Empty : byte { }
        public enum Error : uint { None, Full }
        public enum NoSuccess : uint { Full = 1 }
        public readonly struct Good(uint a) { public uint A { get; } = a; }
        public struct Mutable { public uint A; }
        public readonly struct Hidden(uint a) { private readonly uint _a = a; public ulong Twice => _a * 2ul; }
        public readonly struct Half(uint a) { public uint A { get; } = a; public uint B { get; } = 1; }
        public readonly struct Deep(string a) { public string A { get; } = a; }

        [Tightbeam(id: 1, version: 2)]
        public interface ISample
        {
        %CODE%
        }
        """;

    [Theory]

    // Message (empty: none), member.
    [InlineData("", "[Op(1)] Status A();")]
    [InlineData("", "[Op(1)] Status A(Good a, in Good b, Good? c, out Good d, Small e, out Wide? f);")]
    [InlineData("", "[Op(1)] Result<Error> A([Max(9)] ReadOnlySpan<int> a, [Max(9)] Span<ulong> b, [LengthOf(\"b\")] out int n);")]
    [InlineData("", "[Op(1)] Status A([Max(9)] SharedBuffer a, [Max(9), Writable] SharedBuffer b, Capability c, out Capability d);")]
    [InlineData("", "[Op(65535, Since = 2, Idempotent = true)] Status A(uint @class, out uint @int);")]
    [InlineData("", "[Op(1)] Status A(uint request, uint response, uint service, uint transport, uint attachments, uint writer, uint status, uint bytes, out uint result);")]
    [InlineData("EXT002", "Status A();")]
    [InlineData("EXT002", "uint A { get; }")]
    [InlineData("EXT002", "[Op(1)] Status A<T>(uint a);")]
    [InlineData("EXT002", "[Op(1)] Status A() => Status.Ok;")]
    [InlineData("EXT002", "[Op(1)] static Status A() => Status.Ok;")]
    [InlineData("EXT002", "event Action A;")]
    [InlineData("EXT003", "[Op(0)] Status A();")]
    [InlineData("EXT003", "[Op(1)] Status A(); [Op(1)] Status B();")]
    [InlineData("EXT003", "[Op(1)] Status A(); [Op(2)] Status A(uint a);")]
    [InlineData("EXT004", "[Op(1, Since = 0)] Status A();")]
    [InlineData("EXT004", "[Op(1, Since = 3)] Status A();")]
    [InlineData("EXT005", "[Op(1)] Status A(string a);")]
    [InlineData("EXT005", "[Op(1)] Status A(ref uint a);")]
    [InlineData("EXT005", "[Op(1)] Status A(double a);")]
    [InlineData("EXT005", "[Op(1)] Status A(nint a);")]
    [InlineData("EXT005", "[Op(1)] Status A(char a);")]
    [InlineData("EXT005", "[Op(1)] Status A((uint, uint) a);")]
    [InlineData("EXT005", "[Op(1)] Status A(uint[] a);")]
    [InlineData("EXT005", "[Op(1)] Status A(ISample a);")]
    [InlineData("EXT005", "[Op(1)] Status A([Max(4)] ReadOnlySpan<Good> a);")]
    [InlineData("EXT005", "[Op(1)] Status A([Max(4)] ReadOnlySpan<bool> a);")]
    [InlineData("EXT005", "[Op(1)] Status A([Max(4)] ReadOnlySpan<Small> a);")]
    [InlineData("EXT005", "[Op(1)] Status A([Max(4)] out ReadOnlySpan<byte> a);")]
    [InlineData("EXT006", "[Op(1)] Status A(ReadOnlySpan<byte> a);")]
    [InlineData("EXT006", "[Op(1)] Status A(Span<byte> a);")]
    [InlineData("EXT006", "[Op(1)] Status A([Max(0)] Span<byte> a);")]
    [InlineData("EXT006", "[Op(1)] Status A([Max(65537)] Span<byte> a);")]
    [InlineData("EXT006", "[Op(1)] Status A([Max(4)] uint a);")]
    [InlineData("EXT006", "[Op(1)] Status A([Utf8] uint a);")]
    [InlineData("EXT006", "[Op(1)] Status A([Utf8, Max(4)] ReadOnlySpan<ushort> a);")]
    [InlineData("EXT006", "[Op(1)] Status A(SharedBuffer a);")]
    [InlineData("EXT005,EXT007", "[Op(1)] Status A(Mutable a);")]
    [InlineData("EXT005,EXT007", "[Op(1)] Status A(Hidden a);")]
    [InlineData("EXT005,EXT007", "[Op(1)] Status A(Half a);")]
    [InlineData("EXT005,EXT007", "[Op(1)] Status A(Deep? a);")]
    [InlineData("EXT005,EXT008", "[Op(1)] Status A(Empty a);")]
    [InlineData("EXT008", "[Op(1)] Result<Small> A();")]
    [InlineData("EXT008", "[Op(1)] Result<NoSuccess> A();")]
    [InlineData("EXT009", "[Op(1)] void A();")]
    [InlineData("EXT009", "[Op(1)] uint A();")]
    [InlineData("EXT009", "[Op(1)] System.Threading.Tasks.Task<Status> A();")]
    [InlineData("EXT010", "[Op(1)] Status A([Max(3600)] ReadOnlySpan<byte> a);")]
    [InlineData("EXT010", "[Op(1)] Status A([Max(2000)] ReadOnlySpan<byte> a, [Max(2000)] Span<byte> b);")]
    [InlineData("EXT011", "[Op(1)] Status A([LengthOf(\"b\")] out int n);")]
    [InlineData("EXT011", "[Op(1)] Status A([Max(4)] Span<byte> b, [LengthOf(\"b\")] out uint n);")]
    [InlineData("EXT011", "[Op(1)] Status A([Max(4)] Span<byte> b, [LengthOf(\"b\")] out int n, [LengthOf(\"b\")] out int m);")]
    [InlineData("EXT011", "[Op(1)] Status A([Max(4)] ReadOnlySpan<byte> b, [LengthOf(\"b\")] out int n);")]
    [InlineData("EXT011", "[Op(1)] Status A([Utf8, Max(4)] Span<byte> b);")]
    [InlineData("EXT012", "[Op(1)] Status A([Max(9)] SharedBuffer a, [Max(9)] SharedBuffer b, [Max(9)] SharedBuffer c);")]
    [InlineData("EXT012", "[Op(1)] Status A(Capability a, Capability b);")]
    public void ADeclarationIsJudged(string ids, string code)
    {
        IReadOnlyList<Diagnostic> found = Compiled.Problems(Frame.Replace("%CODE%", code, StringComparison.Ordinal));
        Assert.Equal(ids.Split(',', StringSplitOptions.RemoveEmptyEntries), found.Select(d => d.Id).Distinct().Order());
        Assert.All(found, d => Assert.Equal("/folder/ISample.cs", d.Location.GetLineSpan().Path));
    }

    [Theory]
    [InlineData("EXT013", "[Tightbeam(id: 1, version: 2)]", "[Tightbeam(id: 0, version: 2)]")]
    [InlineData("EXT013", "[Tightbeam(id: 1, version: 2)]", "[Tightbeam(id: 1, version: 0)]")]
    [InlineData("EXT013", "[Tightbeam(id: 1, version: 2)]", "[Tightbeam(id: 1, version: 2, CallBytes = 70000)]")]
    [InlineData("EXT001", "interface ISample", "interface ISample<T>")]
    [InlineData("EXT001", "interface ISample", "interface ISample : IDisposable")]
    [InlineData("EXT014", "[Tightbeam(id: 1, version: 2)]", "[Tightbeam(id: 1, version: 2)] public interface IOther { } [Tightbeam(id: 1, version: 2)]")]
    public void AnInterfaceIsJudged(string id, string old, string now) =>
        Assert.Equal(id, Assert.Single(Compiled.Problems(Frame.Replace("%CODE%", "", StringComparison.Ordinal).Replace(old, now, StringComparison.Ordinal))).Id);

    /// <summary>Where there is nothing but the stack, a transport may hold the caller's memory: the compiler sees that no client outlives it. Arguments may be younger.</summary>
    [Theory]
    [InlineData("", true, "SampleClient<Stack> Make(Span<byte> room) => new(new Stack { Room = room });")]
    [InlineData("", true, "Status Use(SampleClient<Stack> client) => client.A(stackalloc byte[9], stackalloc uint[9], out _);")]
    [InlineData("", true, "Status Use() { SampleClient<Stack> client = new(new Stack { Room = stackalloc byte[64] }); return client.A(default, default, out _); }")]
    [InlineData("CS8347,CS8352", true, "SampleClient<Stack> Make() { Span<byte> room = stackalloc byte[64]; return new(new Stack { Room = room }); }")]
    [InlineData("CS8345", true, "class Holder { SampleClient<Stack> _client; }")]
    [InlineData("CS0453", true, "class Holder<T> where T : class, ITransport { void Use(SampleClient<T> client) { } }")]
    [InlineData("CS9244", false, "Status Use(SampleClient<Stack> client) => Status.Ok;")]
    [InlineData("", false, "class Holder<T>(T transport) where T : class, ITransport { private SampleClient<T> _client = new(transport); }")]
    public void AClientLivesAsLongAsItsTransport(string ids, bool isFreestanding, string code)
    {
        string source = Frame.Replace("%CODE%", "[Op(1)] Status A([Max(9)] ReadOnlySpan<byte> a, [Max(9)] Span<uint> b, out uint c);", StringComparison.Ordinal) + $$"""

            public ref struct Stack : ITransport
            {
                public Span<byte> Room;
                public Span<byte> Request => Room;
                public ReadOnlySpan<byte> Response => Room;
                public Status Call(int requestBytes, scoped ref Attachments attachments) => Status.Ok;
            }

            static class User { {{(code.StartsWith("class", StringComparison.Ordinal) ? code : "static " + code)}} }
            """;
        Assert.Equal(ids.Split(',', StringSplitOptions.RemoveEmptyEntries), Compiled.Problems(source, isFreestanding: isFreestanding).Select(d => d.Id).Distinct().Order());
    }

    [Fact]
    public void AnEditElsewhereRunsNothingAgain()
    {
        string source = Frame.Replace("%CODE%", "[Op(1)] Status A(Good a, [Max(9)] Span<byte> b);", StringComparison.Ordinal);
        CSharpCompilation compilation = Compiled.Compilation(source);
        GeneratorDriver driver = Compiled.Driver(Compiled.Contract(source), "check").RunGenerators(compilation);

        // Another file, and a comment behind the interface.
        compilation = compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class Other;", new CSharpParseOptions(LanguageVersion.Preview)));
        SyntaxTree tree = compilation.SyntaxTrees[0];
        compilation = compilation.ReplaceSyntaxTree(tree, CSharpSyntaxTree.ParseText(source + "\n// More.\n", new CSharpParseOptions(LanguageVersion.Preview), tree.FilePath));
        driver = driver.RunGenerators(compilation);

        GeneratorRunResult result = driver.GetRunResult().Results.Single();
        Assert.NotEmpty(result.GeneratedSources);
        foreach (string step in (string[])[TightbeamGenerator.InterfacesStep, TightbeamGenerator.ContractsStep, TightbeamGenerator.PairsStep])
        {
            Assert.All(
                result.TrackedSteps[step].SelectMany(s => s.Outputs),
                output => Assert.True(output.Reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, $"{step}: {output.Reason}"));
        }

        Assert.All(
            result.TrackedOutputSteps.SelectMany(s => s.Value).SelectMany(s => s.Outputs),
            output => Assert.Equal(IncrementalStepRunReason.Cached, output.Reason));

        // An edit of the interface itself does.
        compilation = Compiled.Compilation(source.Replace("Max(9)", "Max(8)", StringComparison.Ordinal));
        result = driver.RunGenerators(compilation).GetRunResult().Results.Single();
        Assert.Contains(result.TrackedSteps[TightbeamGenerator.InterfacesStep].SelectMany(s => s.Outputs), o => o.Reason == IncrementalStepRunReason.Modified);
    }
}
