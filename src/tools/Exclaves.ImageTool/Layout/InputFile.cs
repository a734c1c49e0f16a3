using System;
using System.IO;

namespace Exclaves.ImageTool.Layout;

/// <summary>Reads a file that the caller named.</summary>
internal static class InputFile
{
    public static byte[] Read(string file) => Open(file, File.ReadAllBytes);

    public static string ReadText(string file) => Open(file, File.ReadAllText);

    private static T Open<T>(string file, Func<string, T> read)
    {
        try
        {
            return read(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageToolException(file, "", error is FileNotFoundException or DirectoryNotFoundException ? "is missing." : error.Message);
        }
    }
}
