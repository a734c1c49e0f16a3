using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Exclaves.Analyzers;

/// <summary>EXC002: what would need a heap. The linker refuses it too, but without a line number.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class AllocationAnalyzer : DiagnosticAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.Allocation];

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(
            Check,
            OperationKind.ObjectCreation,
            OperationKind.ArrayCreation,
            OperationKind.CollectionExpression,
            OperationKind.DelegateCreation,
            OperationKind.InterpolatedString,
            OperationKind.Conversion);
    }

    private static void Check(OperationAnalysisContext context)
    {
        // Attribute arguments are metadata; constants are computed by the compiler.
        if (context.ContainingSymbol is not (IMethodSymbol or IFieldSymbol or IPropertySymbol)
            || context.Operation.ConstantValue.HasValue
            || IsInAttribute(context.Operation))
        {
            return;
        }

        string? what = context.Operation switch
        {
            IObjectCreationOperation { Type.IsReferenceType: true, Type.TypeKind: not TypeKind.TypeParameter } creation => $"An object of class {creation.Type!.Name}",
            IArrayCreationOperation array when !IsSpanTable(array) => "An array",
            ICollectionExpressionOperation { Type: IArrayTypeSymbol } => "An array",
            IDelegateCreationOperation { Type.TypeKind: TypeKind.Delegate } => "A delegate",
            IInterpolatedStringOperation => "A string",
            IConversionOperation conversion when conversion.GetConversion().IsBoxing => $"A box for {conversion.Operand.Type?.Name}",
            _ => null,
        };
        if (what is not null)
        {
            context.ReportDiagnostic(Diagnostic.Create(Rules.Allocation, context.Operation.Syntax.GetLocation(), what));
        }
    }

    /// <summary>A literal array that becomes a read-only span at once is a table in read-only memory.</summary>
    private static bool IsSpanTable(IArrayCreationOperation array) =>
        array.Parent is IConversionOperation { Type: INamedTypeSymbol { Name: "ReadOnlySpan" } } && array.Initializer is not null;

    private static bool IsInAttribute(IOperation operation)
    {
        for (IOperation? at = operation; at is not null; at = at.Parent)
        {
            if (at.Kind == OperationKind.Attribute)
            {
                return true;
            }
        }

        return false;
    }
}
