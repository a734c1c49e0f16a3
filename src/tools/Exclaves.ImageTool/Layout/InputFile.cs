using System;
using System.IO;

namespace Exclaves.ImageTool.Layout;

/// <summary>Reads a file that the caller named.</summary>
internal static class InputFile
{
    public static byte[] Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageToolException(file, "", error is FileNotFoundException or DirectoryNotFoundException ? "is missing." : error.Message);
        }
    }
}
