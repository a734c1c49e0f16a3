using System;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.BannedApiAnalyzers;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using Xunit;

namespace Exclaves.Analyzers.Tests;

/// <summary>What a conclave's build says of code that names what is not there: the list of Exclaves.Sdk, read as the compiler reads it.</summary>
public class ConclaveTests
{
    private const string Banned = "RS0030";
    private static readonly string List = Path.Combine(AppContext.BaseDirectory, "BannedSymbols.txt");

    /// <summary>The framework's own assemblies, read once.</summary>
    private static readonly MetadataReference[] Framework =
        [.. Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System*.dll").Select(path => MetadataReference.CreateFromFile(path))];

    [Theory]

    // What the warning says, code. Empty: allowed.
    [InlineData("no files", "System.IO.File.ReadAllText(\"x\")")]
    [InlineData("no files", "System.IO.File.Exists(\"x\")")]
    [InlineData("no files", "new System.IO.FileStream(\"x\", System.IO.FileMode.Open)")]
    [InlineData("no files", "new System.IO.FileInfo(\"x\")")]
    [InlineData("no files", "new System.IO.StreamReader(\"x\")")]
    [InlineData("no files", "new System.IO.StreamWriter(\"x\")")]
    [InlineData("no files", "new System.IO.FileSystemWatcher(\"x\")")]
    [InlineData("no files", "System.IO.MemoryMappedFiles.MemoryMappedFile.CreateNew(null, 1)")]
    [InlineData("no folders", "System.IO.Directory.GetFiles(\"x\")")]
    [InlineData("no folders", "new System.IO.DirectoryInfo(\"x\")")]
    [InlineData("no disks", "System.IO.DriveInfo.GetDrives()")]
    [InlineData("by calls alone", "new System.IO.Pipes.AnonymousPipeServerStream()")]
    [InlineData("no network", "new System.Net.Sockets.TcpClient()")]
    [InlineData("no network", "new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp)")]
    [InlineData("no network", "new System.Net.Http.HttpClient()")]
    [InlineData("no network", "new System.Net.WebSockets.ClientWebSocket()")]
    [InlineData("no network", "System.Net.Dns.GetHostName()")]
    [InlineData("no network", "new System.Net.HttpListener()")]
    [InlineData("no network", "System.Net.NetworkInformation.NetworkInterface.GetIsNetworkAvailable()")]
    [InlineData("one process", "System.Diagnostics.Process.Start(\"x\")")]
    [InlineData("", "new System.IO.MemoryStream()")]
    [InlineData("", "new System.IO.StreamReader(new System.IO.MemoryStream())")]
    [InlineData("", "System.IO.Path.Combine(\"a\", \"b\")")]
    [InlineData("", "System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)")]
    [InlineData("", "System.Environment.TickCount64")]
    [InlineData("", "System.Threading.Tasks.Task.Run(() => { })")]
    [InlineData("", "System.Diagnostics.Stopwatch.StartNew()")]
    public async Task WhatIsNotThereIsNamedAtBuildTime(string says, string code)
    {
        ImmutableArray<Diagnostic> found = await Analyze($"public static class Code {{ public static object Run() => {code}; }}");
        if (says.Length == 0)
        {
            Assert.Empty(found);
            return;
        }

        Assert.NotEmpty(found);
        Assert.All(found, diagnostic => Assert.Equal((Banned, DiagnosticSeverity.Warning), (diagnostic.Id, diagnostic.Severity)));
        Assert.Contains(found, diagnostic => diagnostic.GetMessage().Contains(says, StringComparison.Ordinal));
    }

    /// <summary>A name that is mistyped, or that .NET no longer has, would ban nothing and say nothing.</summary>
    [Fact]
    public void EveryLineOfTheListNamesSomethingAndSaysWhatToDo()
    {
        CSharpCompilation compilation = Compile("");
        foreach (string[] parts in File.ReadLines(List).Select(line => line.Split(';')))
        {
            Assert.Equal(2, parts.Length);
            Assert.StartsWith("A conclave ", parts[1], StringComparison.Ordinal);
            Assert.Contains(": ", parts[1], StringComparison.Ordinal);
            Assert.NotEmpty(DocumentationCommentId.GetSymbolsForDeclarationId(parts[0], compilation));
        }
    }

    private static CSharpCompilation Compile(string source) => CSharpCompilation.Create(
        "Conclave", [CSharpSyntaxTree.ParseText(source)], Framework, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));

    private static async Task<ImmutableArray<Diagnostic>> Analyze(string source)
    {
        CSharpCompilation compilation = Compile(source);
        Assert.Empty(compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error));
        AnalyzerOptions options = new([new ListFile()]);
        return await compilation.WithAnalyzers([new CSharpSymbolIsBannedAnalyzer()], options).GetAnalyzerDiagnosticsAsync();
    }

    private sealed class ListFile : AdditionalText
    {
        public override string Path => List;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(File.ReadAllText(List));
    }
}
