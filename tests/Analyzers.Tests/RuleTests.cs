using System;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Xunit;

namespace Exclaves.Analyzers.Tests;

/// <summary>Each rule on code that breaks it and on the code next to it that does not.</summary>
public class RuleTests
{
    private const string Surroundings = """
        using System;
        using System.Runtime.CompilerServices;

        namespace Exclaves.Abi
        {
            public enum Status : uint { Ok, Busy }
        }

        namespace Sample
        {
            using Exclaves.Abi;

            public interface IThing { int Get(); }
            public struct Thing : IThing { public int Value; public int Get() => Value; }
            public class Node;

            public static unsafe class Code
            {
                private const ulong High = 0x7F00_0000_0000;
                private static Status Try() => Status.Ok;
                private static int Number() => 1;

        %CODE%
            }
        }
        """;

    [Theory]

    // Rule, code. Empty rule: allowed.
    [InlineData("EXC001", "static void Run() { Try(); }")]
    [InlineData("EXC001", "static void Run() { for (Try(); ; Number()) { break; } }")]
    [InlineData("", "static void Run() { _ = Try(); }")]
    [InlineData("", "static Status Run() => Try();")]
    [InlineData("", "static void Run() { if (Try() == Status.Ok) { Number(); } }")]
    [InlineData("EXC002", "static void Run() { _ = new Node(); }")]
    [InlineData("EXC002", "static void Run() { Node node = new(); _ = node; }")]
    [InlineData("EXC002", "static int Run(int n) => new int[n].Length;")]
    [InlineData("EXC002", "static int Run() { int[] list = [1, 2, 3]; return list.Length; }")]
    [InlineData("EXC002", "static void Run(int n) { object box = n; _ = box; }")]
    [InlineData("EXC002", "static int Run() { Func<int> f = Number; return f(); }")]
    [InlineData("EXC002", "static int Run(int n) { Func<int> f = () => n; return f(); }")]
    [InlineData("EXC002", "static string Run(int n) => $\"n {n}\";")]
    [InlineData("", "static Thing Run() => new() { Value = 3 };")]
    [InlineData("", "static ReadOnlySpan<byte> Table => new byte[] { 1, 2, 3 };")]
    [InlineData("", "static ReadOnlySpan<ulong> Table => [1, 2, 3];")]
    [InlineData("", "static ReadOnlySpan<byte> Text => \"text\"u8;")]
    [InlineData("", "static int Run() { Span<byte> s = stackalloc byte[8]; return s.Length; }")]
    [InlineData("", "[Obsolete(\"old\")] static void Run() { }")]
    [InlineData("", "const string Name = $\"{nameof(Node)}\";")]
    [InlineData("", "static T Run<T>() where T : struct => default;")]
    [InlineData("", "static int Run() { return Local(2); static int Local(int n) => n; }")]
    [InlineData("EXC003", "static Node? _last; static void Run() => _last = null;")]
    [InlineData("EXC003", "static readonly string Name = \"name\";")]
    [InlineData("", "const string Name = \"name\";")]
    [InlineData("", "static Thing _thing; static int Run() => _thing.Value++;")]
    [InlineData("EXC004", "static void Run(int* p) { unsafe { *p = 1; } }")]
    [InlineData("EXC004", "static void Run(int* p) { unsafe { /* quick */ *p = 1; } }")]
    [InlineData("", "static void Run(int* p) {\n // SAFETY: the caller owns it.\n unsafe { *p = 1; } }")]
    [InlineData("", "static void Run(int* p) { unsafe\n {\n // SAFETY: the caller owns it.\n *p = 1; } }")]
    [InlineData("EXC005", "static int Run(IThing thing) => thing.Get();")]
    [InlineData("EXC005", "static IThing? Run() => null;")]
    [InlineData("EXC005", "static void Run() { IThing? thing = null; _ = thing; }")]
    [InlineData("EXC005", "struct Holder { public IThing Thing; }")]
    [InlineData("", "static int Run<T>(T thing) where T : struct, IThing => thing.Get();")]
    [InlineData("EXC008", "static ref int Run() => ref *(int*)High;")]
    [InlineData("EXC008", "static int Run() => ((Thing*)High)->Get();")]
    [InlineData("EXC008", "static ref int Run() => ref ((int*)(void*)(High + 4096))[2];")]
    [InlineData("", "static ref int Run() => ref Unsafe.AsRef<int>((void*)High);")]
    [InlineData("", "static ref int Run() => ref *(int*)0x4060_0000;")]
    [InlineData("", "static ref int Run(ulong offset) => ref *(int*)(High + offset);")]
    public async Task ARuleHitsItsMistakeAndNothingElse(string rule, string code)
    {
        ImmutableArray<Diagnostic> found = await Analyze(Surroundings.Replace("%CODE%", code, StringComparison.Ordinal));
        Assert.Equal(rule.Length == 0 ? [] : [rule], found.Select(d => d.Id).Distinct());
    }

    private static async Task<ImmutableArray<Diagnostic>> Analyze(string source)
    {
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        MetadataReference[] references = [.. new[] { "System.Private.CoreLib.dll", "System.Runtime.dll" }.Select(n => MetadataReference.CreateFromFile(Path.Combine(runtime, n)))];
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Sample",
            [CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview))],
            references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        Assert.Empty(compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error));

        ImmutableArray<DiagnosticAnalyzer> analyzers = [new StatusAnalyzer(), new AllocationAnalyzer(), new DeclarationAnalyzer(), new UnsafeAnalyzer()];
        return await compilation.WithAnalyzers(analyzers).GetAnalyzerDiagnosticsAsync();
    }
}
