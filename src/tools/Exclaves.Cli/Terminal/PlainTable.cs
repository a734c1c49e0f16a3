using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Exclaves.Cli.Terminal;

/// <summary>A table as aligned columns of plain text, for files and pipes.</summary>
public static class PlainTable
{
    private const string Gap = "  ";

    public static string Format(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        int[] widths = [.. header.Select((name, column) =>
            Math.Max(name.Length, rows.Select(row => row[column].Length).DefaultIfEmpty(0).Max()))];
        StringBuilder text = new();
        AppendRow(text, header, widths);
        AppendRow(text, [.. widths.Select(width => new string('-', width))], widths);
        foreach (IReadOnlyList<string> row in rows)
        {
            AppendRow(text, row, widths);
        }

        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, IReadOnlyList<string> cells, int[] widths)
    {
        string line = string.Join(Gap, cells.Select((cell, column) => cell.PadRight(widths[column])));
        text.Append(line.TrimEnd()).Append('\n');
    }
}
