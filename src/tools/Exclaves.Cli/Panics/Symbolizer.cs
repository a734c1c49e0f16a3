using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Panics;

/// <summary>Names for addresses, from the debug information of the file that was linked.</summary>
public static partial class Symbolizer
{
    private const string Program = "llvm-symbolizer";
    private const ulong InstructionBytes = 4;

    /// <summary>Where the build says that the repository lies, so that images do not depend on it (eng/Freestanding.targets).</summary>
    private const string BuildRoot = "/src/";

    /// <summary>The first address is that of an instruction, the others are return addresses: their names are those of the call.</summary>
    /// <param name="elf">Null, or a file that is not there: the addresses stay without names.</param>
    /// <param name="root">The repository.</param>
    public static async Task<IReadOnlyList<PanicFrame>> Resolve(string root, string? elf, IReadOnlyList<ulong> addresses, CancellationToken cancel)
    {
        if (elf == null || addresses.Count == 0 || !File.Exists(elf) || Tool.Find(Program) == null)
        {
            return [.. addresses.Select(address => new PanicFrame(address, null, null))];
        }

        IEnumerable<string> asked = addresses.Select((address, index) => Hex(index == 0 ? address : address - InstructionBytes));
        ToolResult result = await Tool.Run(Program, ["--output-style=JSON", "--no-inlines", "--obj=" + elf, .. asked], cancel);
        using JsonDocument document = JsonDocument.Parse(result.Output.FirstOrDefault(line => line.StartsWith('[')) ?? "[]");
        JsonElement[] found = [.. document.RootElement.EnumerateArray()];
        return [.. addresses.Select((address, index) => index < found.Length ? Read(address, found[index], root + "/") : new PanicFrame(address, null, null))];
    }

    /// <summary>"Type.Method" out of the compiler's name; other names stay as they are.</summary>
    public static string Clean(string name)
    {
        string plain = name;
        while (TypeArguments().IsMatch(plain))
        {
            plain = TypeArguments().Replace(plain, "");
        }

        int at = plain.LastIndexOf("__", StringComparison.Ordinal);
        if (at <= 0)
        {
            return name;
        }

        string type = Arity().Replace(plain[..at], "");
        return type[(type.LastIndexOf('_') + 1)..] + "." + Arity().Replace(plain[(at + 2)..], "");
    }

    private static PanicFrame Read(ulong address, JsonElement found, string root)
    {
        if (!found.TryGetProperty("Symbol", out JsonElement symbols) || symbols.GetArrayLength() == 0)
        {
            return new PanicFrame(address, null, null);
        }

        JsonElement symbol = symbols[0];
        string name = symbol.GetProperty("FunctionName").GetString()!;
        string file = symbol.GetProperty("FileName").GetString()!;
        int number = symbol.GetProperty("Line").GetInt32();
        string path = file.StartsWith(BuildRoot, StringComparison.Ordinal) ? file[BuildRoot.Length..]
            : file.StartsWith(root, StringComparison.Ordinal) ? file[root.Length..]
            : file;
        return new PanicFrame(address, name.Length == 0 ? null : Clean(name), path.Length == 0 || number == 0 ? null : $"{path}:{number}");
    }

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    [GeneratedRegex("<[^<>]*>")]
    private static partial Regex TypeArguments();

    [GeneratedRegex(@"_\d+$")]
    private static partial Regex Arity();
}
