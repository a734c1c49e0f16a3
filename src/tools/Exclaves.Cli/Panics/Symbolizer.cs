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
    public static Task<IReadOnlyList<PanicFrame>> Resolve(string root, string? elf, IReadOnlyList<ulong> addresses, CancellationToken cancel) =>
        Resolve(root, elf == null ? [] : (IReadOnlyList<LoadedFile>)[new(elf, 0, ulong.MaxValue)], addresses, cancel);

    /// <summary>The same where the code lies in several files; what lies in none stays without a name.</summary>
    public static async Task<IReadOnlyList<PanicFrame>> Resolve(string root, IReadOnlyList<LoadedFile> files, IReadOnlyList<ulong> addresses, CancellationToken cancel)
    {
        PanicFrame[] frames = [.. addresses.Select(address => new PanicFrame(address, null, null))];
        foreach (LoadedFile file in files.Where(file => File.Exists(file.File) && Tool.Find(Program) != null))
        {
            int[] own = [.. Enumerable.Range(0, addresses.Count).Where(i => addresses[i] >= file.Start && addresses[i] < file.End)];
            ulong[] asked = [.. own.Select(i => addresses[i] - file.Base - (i == 0 ? 0 : InstructionBytes))];
            if (own.Length == 0)
            {
                continue;
            }

            DotNetNames? names = file.IsDotNet ? await DotNetNames.Read(file.WithSymbols, Path.GetFileName(file.File), cancel) : null;
            ToolResult result = await Tool.Run(Program, ["--output-style=JSON", "--no-inlines", "--obj=" + file.WithSymbols, .. asked.Select(Hex)], cancel);
            using JsonDocument document = JsonDocument.Parse(result.Output.FirstOrDefault(line => line.StartsWith('[')) ?? "[]");
            JsonElement[] found = [.. document.RootElement.EnumerateArray()];
            for (int i = 0; i < own.Length && i < found.Length; i++)
            {
                PanicFrame frame = Read(addresses[own[i]], found[i], root + "/");
                frames[own[i]] = names == null ? frame : frame with { Symbol = names.Find(asked[i]) };
            }
        }

        return frames;
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
