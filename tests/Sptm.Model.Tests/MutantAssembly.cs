using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Exclaves.Sptm.Model;

/// <summary>The monitor's sources and the model's, compiled together with one line changed.</summary>
internal static class MutantAssembly
{
    private static readonly string Root = FindRoot();
    private static readonly CSharpParseOptions Language = new(LanguageVersion.Latest);

    private static readonly Lazy<IReadOnlyList<MetadataReference>> Framework = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path) == "Exclaves.Abi.dll")
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    /// <summary>Walks the model on the mutant. Answers the violation's message, or null when there is none.</summary>
    public static string? Run(Mutation? mutation, int poolPages) => Run(mutation, typeof(ModelRun), poolPages, "None");

    /// <summary>Calls the model's method `Run` of this type on the mutant.</summary>
    public static string? Run(Mutation? mutation, Type model, params object[] arguments)
    {
        string monitor = Path.Combine(Root, "src", "sptm", "Sptm");
        string folder = Path.Combine(Root, "tests", "Sptm.Model.Tests", "Model");
        List<SyntaxTree> trees = [];
        foreach (string path in new[] { monitor, folder }.SelectMany(from => Directory.EnumerateFiles(from, "*.cs")))
        {
            string text = File.ReadAllText(path);
            if (mutation is not null && Path.GetFileName(path) == mutation.File)
            {
                string[] parts = text.Split(mutation.Old);
                text = parts.Length == 2 ? parts[0] + mutation.New + parts[1]
                    : throw new InvalidOperationException($"{mutation.File} holds '{mutation.Old}' {parts.Length - 1} times, not once: the mutation must follow the source.");
            }

            trees.Add(CSharpSyntaxTree.ParseText(text, Language, path));
        }

        CSharpCompilation compilation = CSharpCompilation.Create(
            "Mutant", trees, Framework.Value, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true));
        using MemoryStream image = new();
        Diagnostic? error = compilation.Emit(image).Diagnostics.FirstOrDefault(one => one.Severity == DiagnosticSeverity.Error);
        if (error is not null)
        {
            throw new InvalidOperationException($"The mutant does not compile: {error}");
        }

        image.Position = 0;
        AssemblyLoadContext context = new("mutant", isCollectible: true);
        try
        {
            Type run = context.LoadFromStream(image).GetType(model.FullName!)!;
            run.GetMethod(nameof(ModelRun.Run))!.Invoke(null, arguments);
            return null;
        }
        catch (TargetInvocationException failure)
        {
            // Whatever stops the mutant is a difference that the model sees, also an index out of range.
            return failure.InnerException!.Message;
        }
        finally
        {
            context.Unload();
        }
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Exclaves.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Exclaves.slnx not found above the tests");
    }
}
