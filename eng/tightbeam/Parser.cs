using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Exclaves.Tightbeam.Generator;

/// <summary>Turns an interface's symbol into a model, or says what is wrong with it.</summary>
internal sealed class Parser
{
    public const string InterfaceAttribute = Namespace + "TightbeamAttribute";
    public const string CallBytesName = "CallBytes";
    private const string Namespace = "Exclaves.Tightbeam.";
    private const string StatusName = "Exclaves.Abi.Status";
    private const int DefaultCallBytes = 3_840;

    private readonly List<DiagnosticInfo> _problems = [];
    private readonly TypeTable _types;
    private readonly INamedTypeSymbol _interface;

    private Parser(INamedTypeSymbol symbol)
    {
        _interface = symbol;
        _types = new TypeTable((descriptor, at, arguments) => Report(descriptor, at, arguments));
    }

    public static ParseResult Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        Parser parser = new((INamedTypeSymbol)context.TargetSymbol);
        InterfaceModel? model = parser.Run(context.Attributes[0], cancellation);
        return new ParseResult(parser._problems.Count == 0 ? model : null, new(parser._problems));
    }

    private InterfaceModel? Run(AttributeData attribute, CancellationToken cancellation)
    {
        if (_interface.IsGenericType || _interface.ContainingType is not null || _interface.Interfaces.Length != 0)
        {
            Report(Diagnostics.Interface, _interface, _interface.Name);
            return null;
        }

        if (attribute.ConstructorArguments.Length != 2 || attribute.ConstructorArguments[0].Value is not uint id || attribute.ConstructorArguments[1].Value is not ushort version)
        {
            return null; // The compiler says what is wrong with the attribute.
        }

        int callBytes = attribute.NamedArguments.FirstOrDefault(a => a.Key == CallBytesName).Value.Value as int? ?? DefaultCallBytes;
        if (id == 0 || version == 0 || callBytes is < 1024 or > 65_536)
        {
            Report(Diagnostics.Identity, _interface, _interface.Name);
        }

        List<Operation> operations = [];
        foreach (ISymbol member in _interface.GetMembers())
        {
            cancellation.ThrowIfCancellationRequested();
            if (ParseMember(member, version, callBytes) is { } operation)
            {
                if (operation.Number == 0 || operations.Any(o => o.Number == operation.Number || o.Name == operation.Name))
                {
                    Report(Diagnostics.Number, member, member.Name);
                }

                operations.Add(operation);
            }
        }

        return new InterfaceModel(
            _interface.ContainingNamespace.IsGlobalNamespace ? "" : _interface.ContainingNamespace.ToDisplayString(),
            _interface.Name,
            _interface.DeclaredAccessibility == Accessibility.Public ? "public" : "internal",
            id,
            version,
            callBytes,
            new(operations.OrderBy(o => o.Number)),
            new(_types.Structs),
            new(_types.Enums),
            Place.Of(_interface.Locations[0]));
    }

    private Operation? ParseMember(ISymbol member, int version, int callBytes)
    {
        AttributeData? op = Attribute(member, "OpAttribute");
        if (member is not IMethodSymbol { MethodKind: MethodKind.Ordinary, IsGenericMethod: false, IsStatic: false, IsAbstract: true } method || op is null
            || op.ConstructorArguments.Length != 1 || op.ConstructorArguments[0].Value is not ushort number)
        {
            if (member is not IMethodSymbol { AssociatedSymbol: not null })
            {
                Report(Diagnostics.Member, member, member.Name);
            }

            return null;
        }

        int since = op.NamedArguments.FirstOrDefault(a => a.Key == "Since").Value.Value as ushort? ?? 1;
        bool isIdempotent = op.NamedArguments.FirstOrDefault(a => a.Key == "Idempotent").Value.Value as bool? ?? false;
        if (since == 0 || since > version)
        {
            Report(Diagnostics.Since, method, method.Name, since.ToString(), version.ToString());
        }

        string? error = ParseReturn(method);
        List<Parameter> parameters = [];
        foreach (IParameterSymbol parameter in method.Parameters)
        {
            if (ParseParameter(parameter, method) is { } parsed)
            {
                parameters.Add(parsed);
            }
        }

        parameters = Pair(method, parameters);
        Operation operation = new(number, method.Name, since, isIdempotent, error, new(parameters));
        CheckSize(method, operation, callBytes);
        return operation;
    }

    private string? ParseReturn(IMethodSymbol method)
    {
        if (method.ReturnType.ToDisplayString() == StatusName && !method.ReturnsByRef && !method.ReturnsByRefReadonly)
        {
            return null;
        }

        if (method.ReturnType is INamedTypeSymbol { Name: "Result", TypeArguments.Length: 1 } result && result.ContainingNamespace.ToDisplayString() + "." == Namespace
            && result.TypeArguments[0] is INamedTypeSymbol { TypeKind: TypeKind.Enum } error)
        {
            return _types.AddError(error, method);
        }

        Report(Diagnostics.ReturnType, method, method.Name);
        return null;
    }

    private Parameter? ParseParameter(IParameterSymbol parameter, IMethodSymbol method)
    {
        int max = Attribute(parameter, "MaxAttribute")?.ConstructorArguments.FirstOrDefault().Value as int? ?? -1;
        bool isText = Attribute(parameter, "Utf8Attribute") is not null;
        bool isWritable = Attribute(parameter, "WritableAttribute") is not null;
        string? lengthOf = Attribute(parameter, "LengthOfAttribute") is { } length ? length.ConstructorArguments.FirstOrDefault().Value as string ?? "" : null;
        bool isIn = parameter.RefKind is RefKind.None or RefKind.In;
        bool isOut = parameter.RefKind == RefKind.Out;
        string modifier = parameter.RefKind == RefKind.In ? "in " : isOut ? "out " : "";
        string name = SyntaxFacts.GetKeywordKind(parameter.Name) == SyntaxKind.None ? parameter.Name : "@" + parameter.Name;
        Parameter Make(ParameterRole role, ValueType? type) => new(name, role, type, max, isText, null, false, modifier);

        if (!isIn && !isOut)
        {
            return Unsupported(parameter, method, "it is passed by reference; values go in, or come out by `out`");
        }

        if (lengthOf is not null)
        {
            if (!isOut || parameter.Type.SpecialType != SpecialType.System_Int32)
            {
                Report(Diagnostics.Length, parameter, parameter.Name, method.Name);
                return null;
            }

            return new Parameter(name, ParameterRole.Length, null, 0, false, lengthOf, false, modifier);
        }

        if (parameter.Type is INamedTypeSymbol { IsGenericType: true, Name: "Span" or "ReadOnlySpan" } span && span.ContainingNamespace.ToDisplayString() == "System")
        {
            return ParseSpan(parameter, method, span, max, isText, Make);
        }

        if (max >= 0 && parameter.Type.ToDisplayString() != Namespace + "SharedBuffer")
        {
            Report(Diagnostics.Bound, parameter, parameter.Name, method.Name, "[Max] bounds spans and shared buffers, and this is neither");
            return null;
        }

        if (isText)
        {
            Report(Diagnostics.Bound, parameter, parameter.Name, method.Name, "[Utf8] stands on spans of bytes");
            return null;
        }

        switch (parameter.Type.ToDisplayString())
        {
            case Namespace + "SharedBuffer" when parameter.RefKind == RefKind.None:
                if (max < 1)
                {
                    Report(Diagnostics.Bound, parameter, parameter.Name, method.Name, "a shared buffer needs [Max(bytes)]");
                    return null;
                }

                return Make(isWritable ? ParameterRole.SharedWrite : ParameterRole.SharedRead, null);
            case Namespace + "SharedBuffer":
                return Unsupported(parameter, method, "a shared buffer is passed by value");
            case Namespace + "Capability":
                return Make(isOut ? ParameterRole.CapabilityOut : ParameterRole.CapabilityIn, null);
            default:
                return _types.TryGet(parameter.Type, isOut ? EnumUse.Output : EnumUse.Input, parameter, out ValueType? type, out string reason)
                    ? Make(isOut ? ParameterRole.Out : ParameterRole.In, type)
                    : Unsupported(parameter, method, reason);
        }
    }

    private Parameter? ParseSpan(
        IParameterSymbol parameter, IMethodSymbol method, INamedTypeSymbol span, int max, bool isText, Func<ParameterRole, ValueType?, Parameter> make)
    {
        if (parameter.RefKind != RefKind.None)
        {
            return Unsupported(parameter, method, "a span is passed by value");
        }

        if (!TypeTable.TryGetScalar(span.TypeArguments[0], out ValueType? element) || element!.Scalar == Scalar.Boolean)
        {
            return Unsupported(parameter, method, "spans hold integers, since every bit pattern of these is a value");
        }

        if (max is < 1 or > 65_536)
        {
            Report(Diagnostics.Bound, parameter, parameter.Name, method.Name, "a span needs [Max(elements)], from 1 to 65536");
            return null;
        }

        if (isText && element.Scalar != Scalar.Byte)
        {
            Report(Diagnostics.Bound, parameter, parameter.Name, method.Name, "[Utf8] stands on spans of bytes");
            return null;
        }

        return make(span.Name == "Span" ? ParameterRole.Output : ParameterRole.Input, element);
    }

    /// <summary>Joins lengths to their buffers.</summary>
    private List<Parameter> Pair(IMethodSymbol method, List<Parameter> parameters)
    {
        foreach (Parameter length in parameters.Where(p => p.Role == ParameterRole.Length).ToList())
        {
            int at = parameters.FindIndex(p => p.Role == ParameterRole.Output && p.Name.TrimStart('@') == length.Buffer);
            if (at < 0 || parameters[at].IsCounted)
            {
                Report(Diagnostics.Length, method, length.Name, method.Name);
                continue;
            }

            parameters[at] = parameters[at] with { IsCounted = true };
        }

        foreach (Parameter text in parameters.Where(p => p is { Role: ParameterRole.Output, IsText: true, IsCounted: false }))
        {
            Report(Diagnostics.Length, method, text.Name, method.Name);
        }

        return parameters;
    }

    private void CheckSize(IMethodSymbol method, Operation operation, int callBytes)
    {
        if (operation.Of(ParameterRole.SharedRead, ParameterRole.SharedWrite).Count() > 2)
        {
            Report(Diagnostics.Attachments, method, method.Name, "two shared buffers");
        }

        if (operation.Of(ParameterRole.CapabilityIn).Count() > 1 || operation.Of(ParameterRole.CapabilityOut).Count() > 1)
        {
            Report(Diagnostics.Attachments, method, method.Name, "one capability in and one out");
        }

        long bytes = (long)operation.MaxRequestBytes + operation.MaxResponseBytes;
        if (bytes > callBytes)
        {
            Report(Diagnostics.Size, method, method.Name, bytes.ToString(), _interface.Name, callBytes.ToString());
        }
    }

    private Parameter? Unsupported(IParameterSymbol parameter, IMethodSymbol method, string reason)
    {
        Report(Diagnostics.ParameterType, parameter, parameter.Name, method.Name, parameter.Type.ToDisplayString(), reason);
        return null;
    }

    private static AttributeData? Attribute(ISymbol symbol, string name) =>
        symbol.GetAttributes().FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == Namespace + name);

    private void Report(DiagnosticDescriptor descriptor, ISymbol at, params string[] arguments) =>
        _problems.Add(new DiagnosticInfo(descriptor, Place.Of(at.Locations.FirstOrDefault(l => l.IsInSource) ?? _interface.Locations[0]), new(arguments)));
}
