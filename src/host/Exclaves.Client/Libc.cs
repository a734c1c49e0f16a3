using System;
using System.Runtime.InteropServices;

namespace Exclaves.Client;

/// <summary>The calls of the C library that this client needs.</summary>
internal static partial class Libc
{
    public const int ReadWrite = 2;
    public const int CloseOnExec = 0x8_0000;
    public const int ProtectReadWrite = 1 | 2;
    public const int MapShared = 1;
    public const int MapPrivateAnonymous = 2 | 0x20;
    public static readonly nint MapFailed = -1;

    public const int ErrorNotPermitted = 1;
    public const int ErrorNoEntry = 2;
    public const int ErrorInterrupted = 4;
    public const int ErrorNoDeviceAddress = 6;
    public const int ErrorNoMemory = 12;
    public const int ErrorAccess = 13;
    public const int ErrorBusy = 16;
    public const int ErrorNoDevice = 19;
    public const int ErrorInvalid = 22;
    public const int ErrorNotTty = 25;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(int descriptor, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint bytes, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint bytes);
}
