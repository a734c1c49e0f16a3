using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Exclaves.Tightbeam.Generator;

/// <summary>Structures and enums that an interface uses, each once.</summary>
internal sealed class TypeTable(Action<DiagnosticDescriptor, ISymbol, string[]> report)
{
    private readonly SortedDictionary<string, StructModel?> _structs = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, EnumModel?> _enums = new(StringComparer.Ordinal);

    public IEnumerable<StructModel> Structs => _structs.Values.OfType<StructModel>();

    public IEnumerable<EnumModel> Enums => _enums.Values.OfType<EnumModel>();

    public static bool TryGetScalar(ITypeSymbol type, out ValueType? value)
    {
        (Scalar Scalar, string Name, int Bytes)? scalar = type.TypeKind == TypeKind.Enum ? null : type.SpecialType switch
        {
            SpecialType.System_Boolean => (Scalar.Boolean, "bool", 1),
            SpecialType.System_SByte => (Scalar.SByte, "sbyte", 1),
            SpecialType.System_Byte => (Scalar.Byte, "byte", 1),
            SpecialType.System_Int16 => (Scalar.Int16, "short", 2),
            SpecialType.System_UInt16 => (Scalar.UInt16, "ushort", 2),
            SpecialType.System_Int32 => (Scalar.Int32, "int", 4),
            SpecialType.System_UInt32 => (Scalar.UInt32, "uint", 4),
            SpecialType.System_Int64 => (Scalar.Int64, "long", 8),
            SpecialType.System_UInt64 => (Scalar.UInt64, "ulong", 8),
            _ => null,
        };
        value = scalar is { } s ? new ValueType(s.Name, ValueKind.Scalar, s.Scalar, s.Bytes, false) : null;
        return value is not null;
    }

    /// <summary>The type as a value on the wire.</summary>
    public bool TryGet(ITypeSymbol type, EnumUse use, ISymbol at, out ValueType? value, out string reason)
    {
        reason = "only integers, bool, enums, readonly structs of these, spans, SharedBuffer and Capability can travel";
        value = null;
        if (type is INamedTypeSymbol { ConstructedFrom.SpecialType: SpecialType.System_Nullable_T } optional)
        {
            if (!TryGet(optional.TypeArguments[0], use, at, out ValueType? plain, out reason))
            {
                return false;
            }

            value = plain! with { IsOptional = true };
            return true;
        }

        if (TryGetScalar(type, out value))
        {
            return true;
        }

        value = type switch
        {
            INamedTypeSymbol { TypeKind: TypeKind.Enum } e => GetEnum(e, use, at),
            INamedTypeSymbol { TypeKind: TypeKind.Struct, IsGenericType: false, IsTupleType: false, SpecialType: SpecialType.None } s => GetStruct(s, use, at),
            _ => null,
        };
        return value is not null;
    }

    /// <summary>An enum of errors: its zero is success, and it may grow.</summary>
    public string? AddError(INamedTypeSymbol type, ISymbol at)
    {
        if (type.EnumUnderlyingType?.SpecialType != SpecialType.System_UInt32 || !Members(type).Any(m => m.Value == 0))
        {
            report(Diagnostics.Enumeration, at, [type.ToDisplayString(), "errors are of underlying type uint, and a member with value 0 means success"]);
            return null;
        }

        return GetEnum(type, EnumUse.Error, at)?.Name;
    }

    private ValueType? GetEnum(INamedTypeSymbol type, EnumUse use, ISymbol at)
    {
        string name = type.ToDisplayString();
        if (type.EnumUnderlyingType is null || !TryGetScalar(type.EnumUnderlyingType, out ValueType? underlying))
        {
            return null;
        }

        EnumMember[] members = [.. Members(type)];
        if (members.Length == 0)
        {
            report(Diagnostics.Enumeration, at, [name, "it has no members"]);
            return null;
        }

        EnumUse known = _enums.TryGetValue(name, out EnumModel? old) ? old!.Use : EnumUse.None;
        bool isFlags = type.GetAttributes().Any(a => a.AttributeClass?.ToDisplayString() == "System.FlagsAttribute");
        _enums[name] = new EnumModel(name, underlying!.Scalar, isFlags, known | use, new(members));
        return new ValueType(name, ValueKind.Enum, underlying.Scalar, underlying.PlainBytes, false);
    }

    private static IEnumerable<EnumMember> Members(INamedTypeSymbol type) =>
        type.GetMembers().OfType<IFieldSymbol>()
            .Where(f => f.HasConstantValue)
            .Select(f => new EnumMember(f.Name, Convert.ToDecimal(f.ConstantValue, CultureInfo.InvariantCulture)))
            .OrderBy(m => m.Value).ThenBy(m => m.Name, StringComparer.Ordinal);

    private ValueType? GetStruct(INamedTypeSymbol type, EnumUse use, ISymbol at)
    {
        string name = type.ToDisplayString();
        if (!type.IsReadOnly || type.IsRefLikeType)
        {
            report(Diagnostics.Structure, at, [name, "it is not a readonly struct"]);
            return null;
        }

        IFieldSymbol[] fields = [.. type.GetMembers().OfType<IFieldSymbol>().Where(f => !f.IsStatic && !f.IsConst)];
        IMethodSymbol? constructor = type.InstanceConstructors
            .Where(c => !c.IsImplicitlyDeclared && c.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal)
            .FirstOrDefault(c => c.Parameters.Length == fields.Length && c.Parameters.All(p => p.RefKind is RefKind.None && Reader(type, p) is not null));
        if (fields.Length == 0 || constructor is null)
        {
            report(Diagnostics.Structure, at, [name, "it needs a constructor with one parameter for each field, each readable under the parameter's name and of its type"]);
            return null;
        }

        List<StructField> parsed = [];
        foreach (IParameterSymbol parameter in constructor.Parameters)
        {
            if (!TryGet(parameter.Type, use, at, out ValueType? field, out _))
            {
                report(Diagnostics.Structure, at, [name, $"its {parameter.Name} is of type {parameter.Type.ToDisplayString()}"]);
                return null;
            }

            parsed.Add(new StructField(Reader(type, parameter)!, field!));
        }

        _structs[name] = new StructModel(name, new(parsed));
        return new ValueType(name, ValueKind.Struct, default, parsed.Sum(f => f.Type.Bytes), false);
    }

    /// <summary>The property or field that reads a constructor's parameter.</summary>
    private static string? Reader(INamedTypeSymbol type, IParameterSymbol parameter) =>
        type.GetMembers().FirstOrDefault(m =>
            !m.IsStatic && m.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal
            && string.Equals(m.Name, parameter.Name, StringComparison.OrdinalIgnoreCase)
            && SymbolEqualityComparer.Default.Equals((m as IPropertySymbol)?.Type ?? (m as IFieldSymbol)?.Type, parameter.Type))?.Name;
}
