using System;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Exclaves.Tightbeam.Generator;

/// <summary>The generator: wires parser, emitter and contract rules together. Each step has a name, by which tests see whether it ran again.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class TightbeamGenerator : IIncrementalGenerator
{
    public const string InterfacesStep = "Interfaces";
    public const string ContractsStep = "Contracts";
    public const string PairsStep = "Pairs";
    public const string Extension = ".tightbeam";

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ParseResult> interfaces = context.SyntaxProvider
            .ForAttributeWithMetadataName(Parser.InterfaceAttribute, static (node, _) => node is InterfaceDeclarationSyntax, Parser.Parse)
            .WithTrackingName(InterfacesStep);
        IncrementalValuesProvider<InterfaceModel> models = interfaces.Where(static r => r.Model is not null).Select(static (r, _) => r.Model!);

        // Freestanding images have no tasks, and no exceptions.
        IncrementalValueProvider<bool> isHosted = context.CompilationProvider.Select(
            static (c, _) => c.GetTypeByMetadataName("System.Threading.Tasks.Task") is not null);
        IncrementalValueProvider<ContractMode> mode = context.AnalyzerConfigOptionsProvider.Select(static (options, _) =>
            options.GlobalOptions.TryGetValue("build_property.TightbeamContracts", out string? value)
                ? value switch { "check" => ContractMode.Check, "update" => ContractMode.Update, "break" => ContractMode.Break, _ => ContractMode.None }
                : ContractMode.None);
        IncrementalValueProvider<EquatableArray<ContractFile>> contracts = context.AdditionalTextsProvider
            .Where(static t => t.Path.EndsWith(Extension, StringComparison.Ordinal))
            .Select(static (t, cancel) => new ContractFile(Path.GetFileNameWithoutExtension(t.Path), t.GetText(cancel)?.ToString() ?? ""))
            .Collect()
            .Select(static (files, _) => new EquatableArray<ContractFile>(files))
            .WithTrackingName(ContractsStep);

        context.RegisterSourceOutput(interfaces, static (output, result) => ReportAll(output, result.Problems));
        context.RegisterSourceOutput(
            models.Combine(isHosted).WithTrackingName(PairsStep),
            static (output, pair) => output.AddSource($"{pair.Left.FullName}.g.cs", SourceText.From(new Emitter(pair.Left, pair.Right).Emit(), Encoding.UTF8)));
        context.RegisterSourceOutput(models.Combine(contracts).Combine(mode), static (output, row) => Compare(output, row.Left.Left, row.Left.Right, row.Right));
        context.RegisterSourceOutput(models.Collect(), static (output, all) => CheckIds(output, all));
    }

    private static void ReportAll(SourceProductionContext output, EquatableArray<DiagnosticInfo> problems)
    {
        foreach (DiagnosticInfo problem in problems)
        {
            output.ReportDiagnostic(problem.ToDiagnostic());
        }
    }

    private static void CheckIds(SourceProductionContext output, ImmutableArray<InterfaceModel> all)
    {
        foreach (IGrouping<uint, InterfaceModel> same in all.GroupBy(m => m.Id).Where(g => g.Count() > 1))
        {
            output.ReportDiagnostic(Diagnostic.Create(Diagnostics.DuplicateId, same.Last().Place.ToLocation(), same.First().Name, same.Last().Name, same.Key));
        }
    }

    private static void Compare(SourceProductionContext output, InterfaceModel model, EquatableArray<ContractFile> files, ContractMode mode)
    {
        string text = ContractWriter.Write(model);
        if (mode is ContractMode.Update or ContractMode.Break)
        {
            // The compiler writes generated files only as source: the contract travels as comments, with the place where it belongs.
            string folder = Path.GetDirectoryName(model.Place.File) ?? "";
            StringBuilder source = new($"//@ {Path.Combine(folder, model.Name + Extension)}\n");
            foreach (string part in text.TrimEnd('\n').Split('\n'))
            {
                source.Append("//| ").Append(part).Append('\n');
            }

            output.AddSource($"{model.FullName}.contract.g.cs", SourceText.From(source.ToString(), Encoding.UTF8));
        }

        if (mode is ContractMode.None or ContractMode.Break)
        {
            return;
        }

        void Report(DiagnosticDescriptor descriptor, params object[] arguments) =>
            output.ReportDiagnostic(Diagnostic.Create(descriptor, model.Place.ToLocation(), arguments));

        ContractFile? file = files.FirstOrDefault(f => f.Name == model.Name);
        if (file is null && mode == ContractMode.Update)
        {
            return;
        }

        if (file is null)
        {
            Report(Diagnostics.ContractMissing, model.Name);
            return;
        }

        if (Contract.TryParse(file.Text, out int line, out string reason) is not { } old)
        {
            if (mode == ContractMode.Check)
            {
                Report(Diagnostics.ContractUnreadable, model.Name, line, reason);
            }

            return;
        }

        Contract now = Contract.TryParse(text, out _, out _) ?? throw new InvalidOperationException("A contract just written cannot be read.");
        string[] breaches = [.. ContractRules.Breaches(old, now)];
        foreach (string breach in breaches)
        {
            Report(Diagnostics.Incompatible, model.Name, breach);
        }

        if (mode == ContractMode.Check && breaches.Length == 0 && file.Text.Replace("\r\n", "\n") != text)
        {
            Report(Diagnostics.OutOfDate, model.Name, ContractRules.Difference(old, now));
        }
    }

    private enum ContractMode
    {
        None,
        Check,
        Update,

        /// <summary>Update, whatever it breaks.</summary>
        Break,
    }

    private sealed record ContractFile(string Name, string Text);
}
