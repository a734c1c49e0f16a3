using System;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.ImageTool;

/// <summary>Names as tables hold them: ASCII, zeros behind.</summary>
internal static class Names
{
    public static string Of(in Name64 name)
    {
        ReadOnlySpan<byte> bytes = name;
        int end = bytes.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
