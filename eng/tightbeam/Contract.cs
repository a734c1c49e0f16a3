using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Exclaves.Tightbeam.Generator;

/// <summary>A contract as it was read.</summary>
internal sealed class Contract
{
    public sealed class Op
    {
        public string Name = "";
        public int Since;
        public bool IsIdempotent;

        /// <summary>What travels, without the names of parameters; the last one says what is returned.</summary>
        public readonly List<string> Shape = [];
    }

    public sealed class Type
    {
        /// <summary>"struct", or an enum's underlying type and whether it has flags.</summary>
        public string Kind = "";
        public bool IsOutput;
        public bool IsError;

        /// <summary>Fields of a structure, values of an enum.</summary>
        public readonly List<string> Shape = [];
    }

    public string Name { get; private set; } = "";

    public string Id { get; private set; } = "";

    public int Version { get; private set; }

    public int CallBytes { get; private set; }

    public SortedDictionary<int, Op> Operations { get; } = [];

    public SortedDictionary<string, Type> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>Null, with line and reason, when the text is no contract.</summary>
    public static Contract? TryParse(string text, out int line, out string reason)
    {
        Contract contract = new();
        List<string>? shape = null;
        string[] lines = text.Replace("\r\n", "\n").Split('\n');
        reason = "";
        for (line = 1; line <= lines.Length; line++)
        {
            string content = lines[line - 1];
            if (content.Length == 0 || content[0] == '#')
            {
                continue;
            }

            if (content.StartsWith("  ", StringComparison.Ordinal))
            {
                if (shape is null)
                {
                    reason = "an indented line belongs to an operation or a type";
                    return null;
                }

                int colon = content.IndexOf(" : ", StringComparison.Ordinal);
                shape.Add((colon < 0 ? content : content.Substring(0, colon)).Trim());
                continue;
            }

            if (!contract.TryTake(content.Split(' '), out shape))
            {
                reason = $"'{content}' is not a line of a contract";
                return null;
            }
        }

        if (contract.Name.Length == 0 || contract.Id.Length == 0 || contract.Version == 0)
        {
            reason = "interface, id and version must be there";
            return null;
        }

        return contract;
    }

    private bool TryTake(string[] words, out List<string>? shape)
    {
        shape = null;
        switch (words[0])
        {
            case "interface" when words.Length == 2:
                Name = words[1];
                return true;
            case "id" when words.Length == 2:
                Id = words[1];
                return true;
            case "version" when words.Length == 2 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int version):
                Version = version;
                return true;
            case "call" when words.Length == 2 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int bytes):
                CallBytes = bytes;
                return true;
            case "op" when words.Length is 5 or 6 && words[3] == "since" && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                    && int.TryParse(words[4], NumberStyles.None, CultureInfo.InvariantCulture, out int since) && !Operations.ContainsKey(number):
                Op op = new() { Name = words[2], Since = since, IsIdempotent = words.Length == 6 && words[5] == "idempotent" };
                Operations.Add(number, op);
                shape = op.Shape;
                return words.Length == 5 || op.IsIdempotent;
            case "struct" when words.Length == 2 && !Types.ContainsKey(words[1]):
                Type structure = new() { Kind = "struct" };
                Types.Add(words[1], structure);
                shape = structure.Shape;
                return true;
            case "enum" when words.Length >= 3 && !Types.ContainsKey(words[1]):
                Type enumeration = new()
                {
                    Kind = words[2] + (words.Contains("flags") ? " flags" : ""),
                    IsOutput = words.Skip(3).Contains("out"),
                    IsError = words.Skip(3).Contains("error"),
                };
                Types.Add(words[1], enumeration);
                shape = enumeration.Shape;
                return true;
            default:
                return false;
        }
    }
}
