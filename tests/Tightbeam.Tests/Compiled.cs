extern alias generator;
using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using generator::Exclaves.Tightbeam.Generator;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Exclaves.Tightbeam.Tests;

/// <summary>Source run through the compiler with the generator, as a build does it.</summary>
internal static class Compiled
{
    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Preview);

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var name && (name.StartsWith("System.", StringComparison.Ordinal) || name is "Exclaves.Abi.dll" or "Exclaves.Tightbeam.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>All that a freestanding image has beside its own sources.</summary>
    private static readonly Lazy<SyntaxTree[]> FreestandingSources = new(() =>
    [
        .. ((string[])["base/CoreLib", "contracts/Abi", "contracts/Tightbeam"])
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Sources(), folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "Hosted"))
            .Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), Parse.WithPreprocessorSymbols("FREESTANDING"), path)),
    ]);

    /// <summary>Ids of everything that the generator or the compiler says against the source.</summary>
    public static IReadOnlyList<Diagnostic> Problems(string source, string? contract = null, string mode = "", bool isFreestanding = false)
    {
        CSharpCompilation compilation = Compilation(source);
        compilation = isFreestanding
            ? compilation.RemoveAllReferences().AddSyntaxTrees(FreestandingSources.Value).WithOptions(compilation.Options.WithAllowUnsafe(true))
            : compilation;
        GeneratorDriver driver = Driver(contract, mode).RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out ImmutableArray<Diagnostic> said);
        _ = driver;
        return [.. said, .. output.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error)];
    }

    /// <summary>The text that `exclave contract update` would write.</summary>
    public static string Contract(string source)
    {
        GeneratorDriver driver = Driver(null, "update").RunGenerators(Compilation(source));
        string text = driver.GetRunResult().Results.Single().GeneratedSources.Single(s => s.HintName.EndsWith(".contract.g.cs", StringComparison.Ordinal)).SourceText.ToString();
        return string.Concat(text.Split('\n').Where(line => line.StartsWith("//| ", StringComparison.Ordinal)).Select(line => line[4..] + "\n"));
    }

    public static CSharpCompilation Compilation(string source) => CSharpCompilation.Create(
        "Sample",
        [CSharpSyntaxTree.ParseText(source, Parse, "/folder/ISample.cs")],
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    public static GeneratorDriver Driver(string? contract = null, string mode = "") => CSharpGeneratorDriver.Create(
        [new TightbeamGenerator().AsSourceGenerator()],
        contract is null ? [] : [new Text(contract)],
        Parse,
        new Options(mode),
        new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    private static string Sources([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../src"));

    private sealed class Text(string content) : AdditionalText
    {
        public override string Path => "/folder/ISample.tightbeam";

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(content, Encoding.UTF8);
    }

    private sealed class Options(string mode) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Global(mode);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => GlobalOptions;
    }

    private sealed class Global(string mode) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, out string value)
        {
            value = mode;
            return key == "build_property.TightbeamContracts";
        }
    }
}
