using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What a client is doing when it is killed.</summary>
internal enum VictimKind
{
    /// <summary>Short calls with buffers.</summary>
    Transform,

    /// <summary>Long calls: the signal arrives while the thread is in the secure world.</summary>
    Spin,

    /// <summary>Upcalls: the service waits for an answer of Linux.</summary>
    Upcall,

    /// <summary>Sessions that open and close.</summary>
    Session,

    /// <summary>Memory that is registered and taken back, also with a buffer left to the kernel to clean up.</summary>
    Memory,

    /// <summary>Signatures, so that a .NET conclave is in the midst of its work.</summary>
    Sign,
}

/// <summary>A client that works until it is killed.</summary>
internal static partial class Victim
{
    /// <summary>First argument of such a process; the kind's number and a seed follow.</summary>
    public const string Command = "victim";

    private const int StandardOutput = 1;
    private const ulong LongSpin = 3_000_000;

    /// <summary>Exit status of a client whose service ended.</summary>
    private const int ServiceEnded = 3;

    public static int Run(VictimKind kind, int seed)
    {
        try
        {
            return Work(kind, seed);
        }
        catch (TeeException error) when (error.Failure == TeeFailure.ServiceEnded)
        {
            return ServiceEnded;
        }
    }

    private static int Work(VictimKind kind, int seed)
    {
        Random random = new(seed);
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(kind == VictimKind.Sign ? ServiceName.Signer : ServiceName.Hello);
        byte ready = (byte)'r';
        _ = Write(StandardOutput, in ready, 1); // from here on the killer may strike
        switch (kind)
        {
            case VictimKind.Spin:
                using (HelloClient hello = HelloClient.Open(device))
                {
                    while (true)
                    {
                        _ = hello.Spin((ulong)random.NextInt64((long)LongSpin));
                    }
                }

            case VictimKind.Upcall:
                using (HelloClient hello = HelloClient.Open(device))
                {
                    while (true)
                    {
                        _ = hello.Time();
                    }
                }

            case VictimKind.Session:
                while (true)
                {
                    HelloClient.Open(device).Dispose();
                }

            case VictimKind.Memory:
                while (true)
                {
                    using SharedMemory first = SharedMemory.Register(device, random.Next(1, 64 * 1024));
                    using SharedMemory second = SharedMemory.Allocate(device, random.Next(1, 64 * 1024));
                }

            case VictimKind.Sign:
                using (SignerClient signer = SignerClient.Open(device))
                {
                    byte[] digest = new byte[SignerClient.DigestBytes];
                    _ = signer.Generate();
                    while (true)
                    {
                        random.NextBytes(digest);
                        _ = signer.Sign(digest);
                    }
                }

            default:
                using (HelloClient hello = HelloClient.Open(device))
                {
                    byte[] nonce = new byte[HelloTransform.Bytes];
                    while (true)
                    {
                        random.NextBytes(nonce);
                        hello.Transform(nonce, nonce);
                    }
                }
        }
    }

    // System.Console starts a thread and a pipe for signals; a victim needs one byte.
    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, in byte first, nuint bytes);
}
