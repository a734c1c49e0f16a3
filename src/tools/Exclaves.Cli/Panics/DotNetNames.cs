using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Panics;

/// <summary>The methods of a program that NativeAOT compiled, from its table of symbols: its debug information has lines but no sizes of methods.</summary>
public sealed partial class DotNetNames
{
    private readonly List<(ulong Start, string Name)> _functions = [];
    private readonly string _program;

    private DotNetNames(string program) => _program = program;

    /// <param name="file">The ELF with symbols.</param>
    /// <param name="program">Name of the program's own assembly.</param>
    public static async Task<DotNetNames> Read(string file, string program, CancellationToken cancel)
    {
        DotNetNames names = new(program);
        ToolResult listed = await Tool.Run("llvm-nm", ["--numeric-sort", "--defined-only", file], cancel);
        foreach (string line in listed.Output)
        {
            // "0000000000571e80 t signer_Exclaves_Signer_SignerKeys__Sign"; tables and marks are no functions.
            if (FunctionLine().Match(line) is { Success: true } match)
            {
                names._functions.Add((ulong.Parse(match.Groups["start"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture), match.Groups["name"].Value));
            }
        }

        return names;
    }

    /// <summary>The function around an address; null when there is none.</summary>
    public string? Find(ulong address)
    {
        int low = 0;
        int high = _functions.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _functions[middle].Start <= address ? (middle + 1, high) : (low, middle);
        }

        return low == 0 ? null : Demangle(_functions[low - 1].Name, _program);
    }

    /// <summary>"Namespace.Type.Method" out of NativeAOT's name, in which the assembly comes first and an underscore stands for every separator; other names stay as they are.</summary>
    public static string Demangle(string name, string program)
    {
        string plain = name;
        while (TypeArguments().IsMatch(plain))
        {
            plain = TypeArguments().Replace(plain, "");
        }

        if (plain.StartsWith('_') || ManagedName().Match(plain) is not { Success: true } match)
        {
            return name;
        }

        string type = Arity().Replace(WithoutAssembly(match.Groups["type"].Value, program.Replace('.', '_').Replace('-', '_')), "");
        string method = Arity().Replace(match.Groups["method"].Value, "");
        return $"{type.Replace('_', '.')}.{(method is "_ctor" or "_cctor" ? "." + method[1..] : method)}";
    }

    private static string WithoutAssembly(string type, string program)
    {
        if (type.StartsWith(program + "_", StringComparison.Ordinal))
        {
            return type[(program.Length + 1)..];
        }

        // System.Private.CoreLib and its like are cut down to letters.
        if (PrivateAssembly().Match(type) is { Success: true } own)
        {
            return type[own.Length..];
        }

        // Most assemblies are called as the namespace begins.
        for (int at = type.LastIndexOf('_'); at > 0; at = type.LastIndexOf('_', at - 1))
        {
            if (type.AsSpan(at + 1).StartsWith(type.AsSpan(0, at + 1)))
            {
                return type[(at + 1)..];
            }
        }

        int again = type.IndexOf("_System_", StringComparison.Ordinal);
        return again > 0 ? type[(again + 1)..] : type;
    }

    [GeneratedRegex("^(?<start>[0-9a-f]+) [tTwW] (?!_lsda|__ehinfo|__start_|__stop_)(?<name>[^$].*)$")]
    private static partial Regex FunctionLine();

    [GeneratedRegex("^(?<type>[A-Za-z].*?)__(?<method>_?[A-Za-z].*)$")]
    private static partial Regex ManagedName();

    [GeneratedRegex("^S_P_[A-Za-z0-9]+_")]
    private static partial Regex PrivateAssembly();

    [GeneratedRegex("<[^<>]*>")]
    private static partial Regex TypeArguments();

    [GeneratedRegex(@"_\d+$")]
    private static partial Regex Arity();
}
