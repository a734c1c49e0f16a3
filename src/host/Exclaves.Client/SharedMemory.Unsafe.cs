using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Exclaves.Client;

/// <summary>Pages that a service may see while a call lends a piece of them.</summary>
/// <remarks>They stay this process's own: whatever lies on them may be read by the secure world, so nothing else is put there.</remarks>
public sealed unsafe class SharedMemory : IDisposable
{
    private const int PageBytes = 4096;

    private readonly nint _address;
    private int _descriptor;

    private SharedMemory(nint address, int bytes, int id, int descriptor)
    {
        _address = address;
        Bytes = bytes;
        Id = id;
        _descriptor = descriptor;
    }

    /// <summary>Size in bytes, a multiple of the page size.</summary>
    public int Bytes { get; }

    /// <summary>The kernel's number of this memory on its device.</summary>
    internal int Id { get; }

    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_descriptor < 0, this);

            // SAFETY: [_address, _address + Bytes) was mapped read-write by the factory methods and stays so until Dispose.
            return new Span<byte>((void*)_address, Bytes);
        }
    }

    /// <summary>A piece of it for a Tightbeam call: what a service writes there, it writes in place.</summary>
    public Tightbeam.SharedBuffer Lend(int offset, int bytes) => new((uint)Id + 1, (uint)offset, Span.Slice(offset, bytes));

    /// <summary>Makes fresh pages of this process known to the secure world.</summary>
    public static SharedMemory Register(TeeDevice device, int bytes)
    {
        ArgumentNullException.ThrowIfNull(device);
        int size = RoundUp(bytes);
        nint address = Libc.Map(0, (nuint)size, Libc.ProtectReadWrite, Libc.MapPrivateAnonymous, -1, 0);
        if (address == Libc.MapFailed)
        {
            throw TeeException.FromErrno("map memory for", device.Path, Marshal.GetLastPInvokeError());
        }

        ShmRegisterBlock block = new() { Address = (ulong)address, Bytes = (ulong)size };
        int descriptor = TeeIoctl.ShmRegister(device.Descriptor, ref block);
        if (descriptor < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            _ = Libc.Unmap(address, (nuint)size);
            throw TeeException.FromErrno("register memory with", device.Path, errno);
        }

        return new SharedMemory(address, size, block.Id, descriptor);
    }

    /// <summary>Lets the kernel provide the pages (contiguous, at most 4 MiB) and maps them here.</summary>
    public static SharedMemory Allocate(TeeDevice device, int bytes)
    {
        ArgumentNullException.ThrowIfNull(device);
        int size = RoundUp(bytes);
        ShmAllocBlock block = new() { Bytes = (ulong)size };
        int descriptor = TeeIoctl.ShmAlloc(device.Descriptor, ref block);
        if (descriptor < 0)
        {
            throw TeeException.FromErrno("allocate memory of", device.Path, Marshal.GetLastPInvokeError());
        }

        nint address = Libc.Map(0, (nuint)size, Libc.ProtectReadWrite, Libc.MapShared, descriptor, 0);
        if (address == Libc.MapFailed)
        {
            int errno = Marshal.GetLastPInvokeError();
            _ = Libc.Close(descriptor);
            throw TeeException.FromErrno("map memory of", device.Path, errno);
        }

        return new SharedMemory(address, size, block.Id, descriptor);
    }

    public void Dispose()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = Libc.Unmap(_address, (nuint)Bytes);
            _ = Libc.Close(descriptor); // the kernel unregisters the pages when the last user is gone
        }
    }

    private static int RoundUp(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return checked(bytes + PageBytes - 1) & -PageBytes;
    }
}
