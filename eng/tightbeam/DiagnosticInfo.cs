using System.Linq;
using Microsoft.CodeAnalysis;

namespace Exclaves.Tightbeam.Generator;

/// <summary>A diagnostic that compares by value.</summary>
internal sealed record DiagnosticInfo(DiagnosticDescriptor Descriptor, Place Place, EquatableArray<string> Arguments)
{
    public Diagnostic ToDiagnostic() => Diagnostic.Create(Descriptor, Place.ToLocation(), Arguments.ToArray<object>());
}

/// <summary>What became of one interface: a model, or the reasons why there is none.</summary>
internal sealed record ParseResult(InterfaceModel? Model, EquatableArray<DiagnosticInfo> Problems);
