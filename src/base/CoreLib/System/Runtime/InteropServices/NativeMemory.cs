using System.Runtime.CompilerServices;

namespace System.Runtime.InteropServices;

/// <summary>The parts of .NET's NativeMemory that do not allocate.</summary>
public static unsafe class NativeMemory
{
    public static void Clear(void* ptr, nuint byteCount) => SpanHelpers.ClearWithoutReferences(ref Unsafe.AsRef<byte>(ptr), byteCount);

    public static void Copy(void* source, void* destination, nuint byteCount) =>
        SpanHelpers.Memmove(ref Unsafe.AsRef<byte>(destination), ref Unsafe.AsRef<byte>(source), byteCount);

    public static void Fill(void* ptr, nuint byteCount, byte value) => SpanHelpers.Fill(ref Unsafe.AsRef<byte>(ptr), value, byteCount);
}
