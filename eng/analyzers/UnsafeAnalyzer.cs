using System;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Exclaves.Analyzers;

/// <summary>EXC004: unsafe blocks are explained. EXC008: no dereference of a constant address that ilc may cut.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnsafeAnalyzer : DiagnosticAnalyzer
{
    private const string Mark = "SAFETY:";

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.UnexplainedUnsafe, Rules.HighConstant];

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxNodeAction(CheckBlock, SyntaxKind.UnsafeStatement);
        context.RegisterSyntaxNodeAction(
            c => CheckAddress(c, ((PrefixUnaryExpressionSyntax)c.Node).Operand),
            SyntaxKind.PointerIndirectionExpression);
        context.RegisterSyntaxNodeAction(
            c => CheckAddress(c, ((MemberAccessExpressionSyntax)c.Node).Expression),
            SyntaxKind.PointerMemberAccessExpression);
        context.RegisterSyntaxNodeAction(
            c => CheckAddress(c, ((ElementAccessExpressionSyntax)c.Node).Expression),
            SyntaxKind.ElementAccessExpression);
    }

    /// <summary>The comment stands on the line above the block or is the first thing in it.</summary>
    private static void CheckBlock(SyntaxNodeAnalysisContext context)
    {
        UnsafeStatementSyntax block = (UnsafeStatementSyntax)context.Node;
        SyntaxToken first = block.Block.OpenBraceToken.GetNextToken();
        bool isExplained = block.UnsafeKeyword.LeadingTrivia
            .Concat(block.Block.OpenBraceToken.TrailingTrivia)
            .Concat(first.LeadingTrivia)
            .Any(t => t.ToString().Contains(Mark));
        if (!isExplained)
        {
            context.ReportDiagnostic(Diagnostic.Create(Rules.UnexplainedUnsafe, block.UnsafeKeyword.GetLocation()));
        }
    }

    private static void CheckAddress(SyntaxNodeAnalysisContext context, ExpressionSyntax pointer)
    {
        ExpressionSyntax source = pointer;
        bool isPointer = false;
        while (true)
        {
            switch (source)
            {
                case ParenthesizedExpressionSyntax parenthesized:
                    source = parenthesized.Expression;
                    continue;
                case CastExpressionSyntax { Type: PointerTypeSyntax } cast:
                    isPointer = true;
                    source = cast.Expression;
                    continue;
                default:
                    break;
            }

            break;
        }

        if (isPointer && context.SemanticModel.GetConstantValue(source, context.CancellationToken) is { HasValue: true, Value: ulong or long } constant)
        {
            ulong address = constant.Value is long signed ? unchecked((ulong)signed) : (ulong)constant.Value!;
            if (address > uint.MaxValue)
            {
                context.ReportDiagnostic(Diagnostic.Create(Rules.HighConstant, context.Node.GetLocation(), address));
            }
        }
    }
}
