namespace System.Runtime.InteropServices;

/// <summary>Required by the compiler; nothing implements it.</summary>
public interface IDynamicInterfaceCastable
{
    internal static void GetDynamicInterfaceImplementation() =>
        Internal.Runtime.CompilerHelpers.ThrowHelpers.ThrowFeatureBodyRemoved();
}
