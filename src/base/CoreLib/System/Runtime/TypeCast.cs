using Internal.Runtime.CompilerHelpers;

namespace System.Runtime;

/// <summary>Required by the compiler. A cast of a class reference really calls these, so each stops the machine.</summary>
internal static class TypeCast
{
    internal static void CheckCastAny() => ThrowHelpers.ThrowFeatureBodyRemoved();

    internal static void CheckCastInterface() => ThrowHelpers.ThrowFeatureBodyRemoved();

    internal static void CheckCastClass() => ThrowHelpers.ThrowFeatureBodyRemoved();

    internal static void CheckCastClassSpecial() => ThrowHelpers.ThrowFeatureBodyRemoved();

    internal static void IsInstanceOfAny() => ThrowHelpers.ThrowFeatureBodyRemoved();

    internal static void IsInstanceOfInterface() => ThrowHelpers.ThrowFeatureBodyRemoved();

    internal static void IsInstanceOfClass() => ThrowHelpers.ThrowFeatureBodyRemoved();

    internal static void IsInstanceOfException() => ThrowHelpers.ThrowFeatureBodyRemoved();
}
