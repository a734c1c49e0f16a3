using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Exclaves.Analyzers;

/// <summary>EXC003 and EXC005: types that fields, parameters and locals may not have.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DeclarationAnalyzer : DiagnosticAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.ReferenceStatic, Rules.InterfaceValue];

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSymbolAction(c => CheckField(c, (IFieldSymbol)c.Symbol), SymbolKind.Field);
        context.RegisterSymbolAction(c => CheckMethod(c, (IMethodSymbol)c.Symbol), SymbolKind.Method);
        context.RegisterOperationAction(CheckLocal, OperationKind.VariableDeclarator);
    }

    private static void CheckField(SymbolAnalysisContext context, IFieldSymbol field)
    {
        if (field.IsStatic && !field.IsConst && field.Type.IsReferenceType)
        {
            Report(context, Rules.ReferenceStatic, field, field.Type);
        }
        else if (IsInterface(field.Type))
        {
            Report(context, Rules.InterfaceValue, field, field.Type);
        }
    }

    private static void CheckMethod(SymbolAnalysisContext context, IMethodSymbol method)
    {
        foreach (IParameterSymbol parameter in method.Parameters)
        {
            if (IsInterface(parameter.Type))
            {
                Report(context, Rules.InterfaceValue, parameter, parameter.Type);
            }
        }

        if (IsInterface(method.ReturnType))
        {
            Report(context, Rules.InterfaceValue, method, method.ReturnType);
        }
    }

    private static void CheckLocal(OperationAnalysisContext context)
    {
        ILocalSymbol local = ((IVariableDeclaratorOperation)context.Operation).Symbol;
        if (IsInterface(local.Type))
        {
            context.ReportDiagnostic(Diagnostic.Create(Rules.InterfaceValue, context.Operation.Syntax.GetLocation(), local.Name, local.Type.Name));
        }
    }

    private static bool IsInterface(ITypeSymbol type) => type.TypeKind == TypeKind.Interface;

    private static void Report(SymbolAnalysisContext context, DiagnosticDescriptor rule, ISymbol symbol, ITypeSymbol type) =>
        context.ReportDiagnostic(Diagnostic.Create(rule, symbol.Locations[0], symbol.Name, type.Name));
}
