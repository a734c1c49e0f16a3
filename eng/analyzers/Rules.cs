using Microsoft.CodeAnalysis;

namespace Exclaves.Analyzers;

/// <summary>Every rule once: number, words, severity. A number is never given to another rule.</summary>
internal static class Rules
{
    public static readonly DiagnosticDescriptor IgnoredStatus = Create(
        "EXC001", "A returned Status must be used", "The Status that {0} returns is ignored: test it, or write \"_ =\" and say why");

    public static readonly DiagnosticDescriptor Allocation = Create(
        "EXC002", "Freestanding code does not allocate", "{0} would be allocated, and nothing here allocates");

    public static readonly DiagnosticDescriptor ReferenceStatic = Create(
        "EXC003", "Static fields hold no references", "Static field {0} is of reference type {1}, which only a runtime's start-up code could fill in");

    public static readonly DiagnosticDescriptor UnexplainedUnsafe = Create(
        "EXC004", "An unsafe block states why it is safe", "This unsafe block does not start with \"// SAFETY:\" and the fact that it relies on");

    public static readonly DiagnosticDescriptor InterfaceValue = Create(
        "EXC005", "Interfaces are constraints, not types of values", "{0} is of interface type {1}: dispatch has no code here, so use a type parameter with a constraint");

    public static readonly DiagnosticDescriptor HighConstant = Create(
        "EXC008", "A constant high address goes through Unsafe.AsRef", "ilc can cut the constant 0x{0:X} to 32 bits when it is dereferenced here: use Unsafe.AsRef or a span");

    private static DiagnosticDescriptor Create(string id, string title, string message) =>
        new(id, title, message, "Freestanding", DiagnosticSeverity.Warning, isEnabledByDefault: true);
}
