using Microsoft.CodeAnalysis;

namespace Exclaves.Tightbeam.Generator;

/// <summary>Every message once. A number is never given to another message.</summary>
internal static class Diagnostics
{
    public static readonly DiagnosticDescriptor Interface = Create(
        "EXT001", "A Tightbeam interface is a plain interface", "{0} must be a top-level interface without type parameters and base interfaces");

    public static readonly DiagnosticDescriptor Member = Create(
        "EXT002", "Every member is an operation", "{0} must be an ordinary method with [Op(number)]");

    public static readonly DiagnosticDescriptor Number = Create(
        "EXT003", "Operations have numbers of their own", "Operation {0} needs a number from 1 to 65535 that no other has, and a name that no other has");

    public static readonly DiagnosticDescriptor Since = Create(
        "EXT004", "An operation exists since a version", "Operation {0} says Since = {1}, which is not from 1 to the interface's version {2}");

    public static readonly DiagnosticDescriptor ParameterType = Create(
        "EXT005", "Parameters have types that can travel", "Parameter {0} of {1} has type {2}: {3}");

    public static readonly DiagnosticDescriptor Bound = Create(
        "EXT006", "What has a length has a bound", "Parameter {0} of {1}: {2}");

    public static readonly DiagnosticDescriptor Structure = Create(
        "EXT007", "A structure on the wire is its constructor", "Structure {0} cannot travel: {1}");

    public static readonly DiagnosticDescriptor Enumeration = Create(
        "EXT008", "An enum on the wire has known values", "Enum {0} cannot travel: {1}");

    public static readonly DiagnosticDescriptor ReturnType = Create(
        "EXT009", "Operations answer how it went", "Operation {0} must return Exclaves.Abi.Status or Exclaves.Tightbeam.Result of an enum");

    public static readonly DiagnosticDescriptor Size = Create(
        "EXT010", "A call fits into a message", "Operation {0} may need {1} bytes for request and answer, and a call of {2} has {3}: lower a [Max], make a span a SharedBuffer, or set CallBytes if no message of the secure world carries it");

    public static readonly DiagnosticDescriptor Length = Create(
        "EXT011", "A length belongs to an out-buffer", "Parameter {0} of {1}: [LengthOf] stands on an `out int` and names a Span that no other length names");

    public static readonly DiagnosticDescriptor Attachments = Create(
        "EXT012", "A message carries little beside itself", "Operation {0} may have {1}");

    public static readonly DiagnosticDescriptor Identity = Create(
        "EXT013", "An interface has an id and a version", "{0} needs an id and a version that are not zero, and CallBytes from 1024 to 65536");

    public static readonly DiagnosticDescriptor DuplicateId = Create(
        "EXT014", "An id names one interface", "{0} and {1} have the same id 0x{2:X8}");

    public static readonly DiagnosticDescriptor ContractMissing = Create(
        "EXT020", "The contract of an interface is checked in", "There is no {0}.tightbeam beside {0}: write it with `./exclave contract update` (a project outside Exclaves' tree: with its folder), read it, check it in");

    public static readonly DiagnosticDescriptor Incompatible = Create(
        "EXT021", "An interface stays compatible with its contract", "{0} breaks its contract: {1}");

    public static readonly DiagnosticDescriptor OutOfDate = Create(
        "EXT022", "The contract says what the interface says", "{0} has changed compatibly ({1}): write its contract anew with `./exclave contract update` (a project outside Exclaves' tree: with its folder), and check it in");

    public static readonly DiagnosticDescriptor ContractUnreadable = Create(
        "EXT023", "A contract can be read", "{0}.tightbeam, line {1}: {2}");

    private static DiagnosticDescriptor Create(string id, string title, string message) =>
        new(id, title, message, "Tightbeam", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
