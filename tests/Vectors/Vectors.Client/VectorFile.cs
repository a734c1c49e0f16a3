using System;
using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Vectors;

/// <summary>Reads the files of NIST's validation programme and those that have their form: lines "name = value", sections in brackets, comments.</summary>
public static class VectorFile
{
    /// <summary>Values of one vector alone.</summary>
    private static readonly string[] Passing = ["FAIL", "Result", "PT", "P", "Payload"];

    /// <param name="ends">Names whose line ends a vector; none: a line without text does, when it came after such a name.</param>
    /// <param name="last">For files where a line without text ends a vector: the name that every vector has.</param>
    public static IEnumerable<VectorRecord> Read(IEnumerable<string> lines, string[] ends, string last = "")
    {
        Dictionary<string, string> values = [];
        string section = "";
        string name = "";
        int number = 0;
        bool hasLast = false;
        foreach (string raw in lines.Append(""))
        {
            number++;
            string line = raw.Trim();
            bool isEnd = line.Length == 0 && hasLast;
            if (line.StartsWith('['))
            {
                section = line.Trim('[', ']', ' ');
                foreach (string part in section.Split(','))
                {
                    Split(part, values);
                }
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                name = Split(line, values);
                isEnd = ends.Contains(name);
                hasLast |= name == last;
            }

            if (isEnd)
            {
                yield return new VectorRecord(values, section, name, number);
                hasLast = false;
                Array.ForEach(Passing, passing => values.Remove(passing));
            }
        }
    }

    private static string Split(string line, Dictionary<string, string> values)
    {
        string[] parts = line.Split('=', 2);
        string name = parts[0].Trim();
        values[name] = parts.Length == 2 ? parts[1].Trim() : "";
        return name;
    }
}
