using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis.CSharp;

namespace Exclaves.Tightbeam.Generator;

/// <summary>Integers and booleans as the wire knows them.</summary>
internal enum Scalar
{
    Boolean,
    SByte,
    Byte,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
}

internal enum ValueKind
{
    Scalar,
    Enum,
    Struct,
}

/// <summary>Type of a value of fixed size.</summary>
/// <param name="Name">C# keyword, or the full name without "global::".</param>
/// <param name="PlainBytes">Size on the wire without the byte that says whether an optional value is there.</param>
internal sealed record ValueType(string Name, ValueKind Kind, Scalar Scalar, int PlainBytes, bool IsOptional)
{
    public int Bytes => IsOptional ? PlainBytes + 1 : PlainBytes;

    /// <summary>As generated code names it.</summary>
    public string Source => (Kind == ValueKind.Scalar ? Name : "global::" + Name) + (IsOptional ? "?" : "");

    public string Contract => Name + (IsOptional ? "?" : "");

    public ValueType Plain => IsOptional ? this with { IsOptional = false } : this;
}

/// <param name="Member">What to read.</param>
internal sealed record StructField(string Member, ValueType Type);

internal sealed record StructModel(string Name, EquatableArray<StructField> Fields);

internal sealed record EnumMember(string Name, decimal Value) : IEquatable<EnumMember>;

[Flags]
internal enum EnumUse
{
    None = 0,
    Input = 1,
    Output = 2,
    Error = 4,
}

internal sealed record EnumModel(string Name, Scalar Scalar, bool IsFlags, EnumUse Use, EquatableArray<EnumMember> Members);

internal enum ParameterRole
{
    In,
    Out,

    /// <summary>A span that travels with the request.</summary>
    Input,

    /// <summary>A span that the answer fills.</summary>
    Output,

    /// <summary>Says how much of an output came: no value of its own on the wire.</summary>
    Length,
    SharedRead,
    SharedWrite,
    CapabilityIn,
    CapabilityOut,
}

/// <param name="Type">Of values; of spans the element.</param>
/// <param name="Buffer">Of a length: the name of its output.</param>
/// <param name="IsCounted">Of an output: a length belongs to it.</param>
internal sealed record Parameter(string Name, ParameterRole Role, ValueType? Type, int Max, bool IsText, string? Buffer, bool IsCounted, string Modifier)
{
    public int ElementBytes => Type!.Bytes;

    /// <summary>Most bytes that a span takes, its length and padding included.</summary>
    public int SpanBytes => 4 + (ElementBytes - 1) + (Max * ElementBytes);
}

/// <param name="Error">Full name of the error enum; null when the operation answers a Status.</param>
internal sealed record Operation(int Number, string Name, int Since, bool IsIdempotent, string? Error, EquatableArray<Parameter> Parameters)
{
    private const int HeaderBytes = 24;
    private const int FailureBytes = 284;

    /// <summary>As C# names it.</summary>
    public string SourceName => SyntaxFacts.GetKeywordKind(Name) == SyntaxKind.None ? Name : "@" + Name;

    public IEnumerable<Parameter> Of(params ParameterRole[] roles) => Parameters.Where(p => roles.Contains(p.Role));

    public int MaxRequestBytes => HeaderBytes + RequestFixedBytes + Of(ParameterRole.Input).Sum(p => p.SpanBytes);

    /// <summary>A failure fits too.</summary>
    public int MaxResponseBytes => Math.Max(FailureBytes, HeaderBytes + ResponseFixedBytes + Of(ParameterRole.Output).Sum(p => p.SpanBytes));

    public int ResponseFixedBytes => Of(ParameterRole.Out).Sum(p => p.Type!.Bytes) + Of(ParameterRole.CapabilityOut).Count();

    private int RequestFixedBytes =>
        Of(ParameterRole.In).Sum(p => p.Type!.Bytes)
        + (4 * Of(ParameterRole.Output, ParameterRole.SharedRead, ParameterRole.SharedWrite).Count())
        + Of(ParameterRole.CapabilityIn).Count();
}

/// <summary>All that generated code and contract need to know of an interface; compares by value.</summary>
internal sealed record InterfaceModel(
    string Namespace,
    string Name,
    string Accessibility,
    uint Id,
    int Version,
    int CallBytes,
    EquatableArray<Operation> Operations,
    EquatableArray<StructModel> Structs,
    EquatableArray<EnumModel> Enums,
    Place Place)
{
    public string FullName => Namespace.Length == 0 ? Name : Namespace + "." + Name;

    /// <summary>The name without the I of interfaces.</summary>
    public string ShortName => Name.Length > 1 && Name[0] == 'I' && char.IsUpper(Name[1]) ? Name.Substring(1) : Name;
}
