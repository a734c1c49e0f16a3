using System;
using System.IO;
using System.Net.Sockets;
using Exclaves.Client;

namespace Exclaves.Development;

/// <summary>Where a conclave listens on the build machine: a socket of mode 0600 in a folder of mode 0700.</summary>
public static class SocketPath
{
    /// <summary>Names another socket than the usual one of the conclave.</summary>
    public const string Variable = "EXCLAVE_SOCKET";

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The socket that a conclave called <paramref name="name"/> listens at.</summary>
    public static string For(string name) =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? Path.GetFullPath(named) : ServiceConnection.UsualSocket(name);

    /// <summary>Makes the socket's folder, or checks the one that is there, and that nobody listens already.</summary>
    /// <exception cref="IOException">Others may enter the folder, or the socket is in use.</exception>
    public static void Prepare(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("Conclaves are developed on Linux.");
        }

        string folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder, Private);
        }

        if (File.GetUnixFileMode(folder) is { } mode && (mode & ~Private) != 0)
        {
            throw new IOException($"the folder {folder} is open to other users (mode {Convert.ToString((int)mode, 8)}); the socket wants one of mode 700.");
        }

        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            return;
        }

        throw new IOException($"somebody listens at {path} already; {Variable} names another socket.");
    }

    /// <summary>Leaves the socket to its owner. Until then the folder kept everybody else away.</summary>
    public static void Restrict(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("Conclaves are developed on Linux.");
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
