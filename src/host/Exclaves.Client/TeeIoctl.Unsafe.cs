using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Client;

/// <summary>The `ioctl` calls of the TEE device, one method each. They return what the kernel returned; errno is kept.</summary>
internal static unsafe class TeeIoctl
{
    public static int Version(int descriptor, out TeeVersion version)
    {
        TeeVersion answer = default;

        // SAFETY: the kernel writes sizeof(TeeVersion) = 12 bytes (layout test) into this local.
        int outcome = Libc.Ioctl(descriptor, TeeRequest.Version, (nint)(&answer));
        version = answer;
        return outcome;
    }

    public static int OpenSession(int descriptor, ref OpenSessionBlock block) =>
        Variable(descriptor, TeeRequest.OpenSession, ref block, OpenSessionBlock.HeaderBytes, block.ParameterCount);

    public static int Invoke(int descriptor, ref InvokeBlock block) =>
        Variable(descriptor, TeeRequest.Invoke, ref block, InvokeBlock.HeaderBytes, block.ParameterCount);

    /// <summary>As <see cref="Invoke"/>, but the request's length is that of <paramref name="count"/> parameters whatever the block says.</summary>
    public static int InvokeOfSize(int descriptor, ref InvokeBlock block, uint count) =>
        Variable(descriptor, TeeRequest.Invoke, ref block, InvokeBlock.HeaderBytes, count);

    public static int CloseSession(int descriptor, uint session)
    {
        // SAFETY: the kernel reads 4 bytes of this argument's own slot.
        return Libc.Ioctl(descriptor, TeeRequest.CloseSession, (nint)(&session));
    }

    public static int ShmAlloc(int descriptor, ref ShmAllocBlock block)
    {
        // SAFETY: block is pinned for the call; the kernel reads and writes its 16 bytes (layout test).
        fixed (ShmAllocBlock* pointer = &block)
        {
            return Libc.Ioctl(descriptor, TeeRequest.ShmAlloc, (nint)pointer);
        }
    }

    public static int ShmRegister(int descriptor, ref ShmRegisterBlock block)
    {
        // SAFETY: block is pinned for the call; the kernel reads and writes its 24 bytes (layout test).
        fixed (ShmRegisterBlock* pointer = &block)
        {
            return Libc.Ioctl(descriptor, TeeRequest.ShmRegister, (nint)pointer);
        }
    }

    private static int Variable<T>(int descriptor, uint request, ref T block, int headerBytes, uint count)
        where T : unmanaged
    {
        // SAFETY: block is pinned for the call and holds MaxParameters parameters, which callers never exceed; the kernel touches Bytes of it.
        fixed (T* pointer = &block)
        {
            TeeBuffer buffer = new() { Address = (ulong)pointer, Bytes = (ulong)headerBytes + (count * (uint)sizeof(TeeParameter)) };
            return Libc.Ioctl(descriptor, request, (nint)(&buffer));
        }
    }
}
