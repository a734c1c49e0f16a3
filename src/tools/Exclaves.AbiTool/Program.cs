using System;
using System.IO;

namespace Exclaves.AbiTool;

/// <summary>Writes the files that follow from dispatch.json. Run in the repository's root.</summary>
public static class Program
{
    public const string Source = "src/contracts/Abi/dispatch.json";
    public const string Code = "src/contracts/Abi/Dispatch.cs";
    public const string Document = "docs/abi.md";

    public static int Main()
    {
        try
        {
            DispatchModel model = DispatchModel.Parse(File.ReadAllText(Source));
            File.WriteAllText(Code, CodeWriter.Write(model));
            File.WriteAllText(Document, DocumentWriter.Write(model));
            return 0;
        }
        catch (Exception error) when (error is IOException or System.Text.Json.JsonException)
        {
            Console.Error.WriteLine($"{Source}: {error.Message}");
            return 1;
        }
    }
}
