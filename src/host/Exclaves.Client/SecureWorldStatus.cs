using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>What the monitor left in the device tree about the secure world when it started Linux.</summary>
/// <param name="Reason">Why there is none; empty when there is one.</param>
public sealed record SecureWorldStatus(ExclavesStatus Status, string Reason)
{
    public const string DefaultFolder = "/proc/device-tree/firmware/exclaves";

    /// <summary>The status, or null on a machine without this monitor.</summary>
    public static SecureWorldStatus? Read(string folder = DefaultFolder)
    {
        try
        {
            byte[] word = File.ReadAllBytes(Path.Combine(folder, "exclaves,status"));
            string reason = Path.Combine(folder, "exclaves,reason");
            return word.Length == 4
                ? new SecureWorldStatus(
                    (ExclavesStatus)BinaryPrimitives.ReadUInt32BigEndian(word),
                    File.Exists(reason) ? Encoding.ASCII.GetString(File.ReadAllBytes(reason)).TrimEnd('\0') : "")
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
