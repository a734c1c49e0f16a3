using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Exclaves.Analyzers;

/// <summary>EXC001: a call that answers with a Status is not a statement of its own.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class StatusAnalyzer : DiagnosticAnalyzer
{
    private const string StatusName = "Exclaves.Abi.Status";

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.IgnoredStatus];

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName(StatusName) is { } status)
            {
                start.RegisterOperationAction(c => Check(c, status), OperationKind.ExpressionStatement);
            }
        });
    }

    private static void Check(OperationAnalysisContext context, INamedTypeSymbol status)
    {
        IOperation operation = ((IExpressionStatementOperation)context.Operation).Operation;
        if (operation is IInvocationOperation call && SymbolEqualityComparer.Default.Equals(call.Type, status))
        {
            context.ReportDiagnostic(Diagnostic.Create(Rules.IgnoredStatus, call.Syntax.GetLocation(), call.TargetMethod.Name));
        }
    }
}
