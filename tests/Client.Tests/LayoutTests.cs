using System;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Client.Tests;

/// <summary>The kernel's structures, byte for byte (include/uapi/linux/tee.h).</summary>
public class LayoutTests
{
    public static TheoryData<Type, string, int> Offsets => new()
    {
        // structure                field                     offset
        { typeof(TeeVersion), nameof(TeeVersion.Implementation), 0 },
        { typeof(TeeVersion), nameof(TeeVersion.ImplementationCapabilities), 4 },
        { typeof(TeeVersion), nameof(TeeVersion.Capabilities), 8 },
        { typeof(TeeBuffer), nameof(TeeBuffer.Address), 0 },
        { typeof(TeeBuffer), nameof(TeeBuffer.Bytes), 8 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.Service), 0 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.Client), 16 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.Login), 32 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.CancelId), 36 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.Session), 40 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.Result), 44 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.Origin), 48 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.ParameterCount), 52 },
        { typeof(OpenSessionBlock), nameof(OpenSessionBlock.Parameters), OpenSessionBlock.HeaderBytes },
        { typeof(InvokeBlock), nameof(InvokeBlock.Operation), 0 },
        { typeof(InvokeBlock), nameof(InvokeBlock.Session), 4 },
        { typeof(InvokeBlock), nameof(InvokeBlock.CancelId), 8 },
        { typeof(InvokeBlock), nameof(InvokeBlock.Result), 12 },
        { typeof(InvokeBlock), nameof(InvokeBlock.Origin), 16 },
        { typeof(InvokeBlock), nameof(InvokeBlock.ParameterCount), 20 },
        { typeof(InvokeBlock), nameof(InvokeBlock.Parameters), InvokeBlock.HeaderBytes },
        { typeof(ShmAllocBlock), nameof(ShmAllocBlock.Bytes), 0 },
        { typeof(ShmAllocBlock), nameof(ShmAllocBlock.Flags), 8 },
        { typeof(ShmAllocBlock), nameof(ShmAllocBlock.Id), 12 },
        { typeof(ShmRegisterBlock), nameof(ShmRegisterBlock.Address), 0 },
        { typeof(ShmRegisterBlock), nameof(ShmRegisterBlock.Bytes), 8 },
        { typeof(ShmRegisterBlock), nameof(ShmRegisterBlock.Flags), 16 },
        { typeof(ShmRegisterBlock), nameof(ShmRegisterBlock.Id), 20 },
        { typeof(TeeParameter), nameof(TeeParameter.A), 8 },
        { typeof(TeeParameter), nameof(TeeParameter.B), 16 },
        { typeof(TeeParameter), nameof(TeeParameter.C), 24 },
        { typeof(ComponentStatus), nameof(ComponentStatus.UntypedBase), 64 },
        { typeof(ComponentStatus), nameof(ComponentStatus.UntypedBytes), 72 },
        { typeof(ComponentStatus), nameof(ComponentStatus.UsedBytes), 80 },
        { typeof(ComponentStatus), nameof(ComponentStatus.State), 88 },
        { typeof(ComponentStatus), nameof(ComponentStatus.Generation), 92 },
    };

    [Theory, MemberData(nameof(Offsets))]
    public void FieldsLieWhereTheKernelPutsThem(Type structure, string field, int offset)
    {
        FieldInfo info = structure.GetField(field, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)!;
        MethodInfo measure = typeof(LayoutTests).GetMethod(nameof(OffsetOf), BindingFlags.Static | BindingFlags.NonPublic)!;
        Assert.Equal(offset, measure.MakeGenericMethod(structure).Invoke(null, [info]));
    }

    [Fact]
    public void SizesAreTheKernels()
    {
        Assert.Equal(12, Unsafe.SizeOf<TeeVersion>());
        Assert.Equal(16, Unsafe.SizeOf<TeeBuffer>());
        Assert.Equal(32, Unsafe.SizeOf<TeeParameter>());
        Assert.Equal(56 + (32 * TeeSession.MaxParameters), Unsafe.SizeOf<OpenSessionBlock>());
        Assert.Equal(24 + (32 * TeeSession.MaxParameters), Unsafe.SizeOf<InvokeBlock>());
        Assert.Equal(16, Unsafe.SizeOf<ShmAllocBlock>());
        Assert.Equal(24, Unsafe.SizeOf<ShmRegisterBlock>());
        Assert.Equal(120, Unsafe.SizeOf<ComponentStatus>());
    }

    [Theory]
    [InlineData(TeeRequest.Version, 2u, 0u, 12u)]
    [InlineData(TeeRequest.ShmAlloc, 3u, 1u, 16u)]
    [InlineData(TeeRequest.OpenSession, 2u, 2u, 16u)]
    [InlineData(TeeRequest.Invoke, 2u, 3u, 16u)]
    [InlineData(TeeRequest.CloseSession, 2u, 5u, 4u)]
    [InlineData(TeeRequest.ShmRegister, 3u, 9u, 24u)]
    public void RequestNumbersFollowTheKernelsFormula(uint request, uint direction, uint number, uint bytes) =>
        Assert.Equal((direction << 30) | (bytes << 16) | (0xA4u << 8) | number, request);

    [Fact]
    public void ParametersCarryTheKernelsAttributes()
    {
        Assert.Equal(0UL, Attributes(TeeParameter.None));
        Assert.Equal(1UL, Attributes(TeeParameter.Input(7)));
        Assert.Equal(2UL, Attributes(TeeParameter.Output()));
        Assert.Equal(3UL, Attributes(TeeParameter.InputOutput(7)));
        Assert.Equal(5UL, Attributes(TeeParameter.NullMemory(TeeDirection.In)));
        Assert.Equal(6UL, Attributes(TeeParameter.NullMemory(TeeDirection.Out)));
        Assert.Equal(7UL, Attributes(TeeParameter.NullMemory(TeeDirection.InOut)));
        Assert.Equal(ulong.MaxValue, TeeParameter.NullMemory(TeeDirection.In).C);
    }

    private static ulong Attributes(TeeParameter parameter) => MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes([parameter]));

    // The offset in memory, found by marking the field's bytes: Marshal.OffsetOf does not know inline arrays.
    private static int OffsetOf<T>(FieldInfo field)
        where T : unmanaged
    {
        object boxed = default(T);
        object mark = Activator.CreateInstance(field.FieldType)!;
        GCHandle handle = GCHandle.Alloc(mark, GCHandleType.Pinned);
        Marshal.WriteByte(handle.AddrOfPinnedObject(), 0xA5);
        handle.Free();
        field.SetValue(boxed, mark);
        T value = (T)boxed;
        return MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref value, 1)).IndexOf((byte)0xA5);
    }
}
