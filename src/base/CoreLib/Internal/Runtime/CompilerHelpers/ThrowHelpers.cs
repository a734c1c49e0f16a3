using System.Diagnostics.CodeAnalysis;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Internal.Runtime.CompilerHelpers;

/// <summary>What went wrong inside C#: in x0 of `exc_fail`, which each image defines and which does not return.</summary>
public enum FailCode : uint
{
    None = 0,
    IndexOutOfRange = 1,
    DivideByZero = 2,
    Overflow = 3,
    NullReference = 4,
    ArgumentOutOfRange = 5,
    Argument = 6,
    InvalidOperation = 7,

    /// <summary>Code that this core library leaves out on purpose was reached.</summary>
    BodyRemoved = 8,
    ArrayTypeMismatch = 9,
    PlatformNotSupported = 10,
    InvalidCast = 11,

    /// <summary>A stack cookie did not match: `RhpFallbackFailFast`.</summary>
    StackCookie = 12,
}

/// <summary>Where compiled code goes when a check of the language fails. Nothing here returns.</summary>
public static class ThrowHelpers
{
    [DoesNotReturn]
    public static void ThrowIndexOutOfRangeException() => Stop(FailCode.IndexOutOfRange);

    [DoesNotReturn]
    public static void ThrowDivideByZeroException() => Stop(FailCode.DivideByZero);

    [DoesNotReturn]
    public static void ThrowOverflowException() => Stop(FailCode.Overflow);

    [DoesNotReturn]
    public static void ThrowNullReferenceException() => Stop(FailCode.NullReference);

    [DoesNotReturn]
    public static void ThrowArgumentException() => Stop(FailCode.Argument);

    [DoesNotReturn]
    public static void ThrowArgumentOutOfRangeException() => Stop(FailCode.ArgumentOutOfRange);

    [DoesNotReturn]
    public static void ThrowInvalidOperationException() => Stop(FailCode.InvalidOperation);

    [DoesNotReturn]
    public static void ThrowArrayTypeMismatchException() => Stop(FailCode.ArrayTypeMismatch);

    [DoesNotReturn]
    public static void ThrowPlatformNotSupportedException() => Stop(FailCode.PlatformNotSupported);

    [DoesNotReturn]
    public static void ThrowNotImplementedException() => Stop(FailCode.PlatformNotSupported);

    [DoesNotReturn]
    public static void ThrowInvalidCastException() => Stop(FailCode.InvalidCast);

    [DoesNotReturn]
    public static void ThrowFeatureBodyRemoved() => Stop(FailCode.BodyRemoved);

    [DoesNotReturn]
    public static void ThrowBodyRemoved() => Stop(FailCode.BodyRemoved);

    [DoesNotReturn]
    public static void ThrowInstanceBodyRemoved() => Stop(FailCode.BodyRemoved);

    [DoesNotReturn]
    public static void ThrowUnavailableType() => Stop(FailCode.BodyRemoved);

    [DoesNotReturn]
    private static void Stop(FailCode code)
    {
        Fail(code);

        // An image whose exc_fail came back is broken; it gets no further than this.
        while (true)
        {
        }
    }

    [RuntimeImport("*", "exc_fail")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Fail(FailCode code);
}
