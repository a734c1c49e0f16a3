using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Exclaves.Kit;

/// <summary>A message template of Microsoft.Extensions.Logging, `{Name,alignment:format}`, filled in so that text and values stay apart.</summary>
internal static class LogTemplate
{
    public static void Fill(LogMessage message, string template, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        int hole = 0;
        int at = 0;
        while (at < template.Length)
        {
            int brace = template.AsSpan(at).IndexOfAny('{', '}');
            if (brace < 0)
            {
                break;
            }

            message.Public(template.Substring(at, brace));
            at += brace;
            if (at + 1 < template.Length && template[at + 1] == template[at])
            {
                message.Public(template[at].ToString());
                at += 2;
                continue;
            }

            int end = template[at] == '{' ? template.IndexOf('}', at) : -1;
            if (end < 0)
            {
                break;
            }

            FillHole(message, template[(at + 1)..end], values, hole++);
            at = end + 1;
        }

        message.Public(template[at..]);
    }

    private static void FillHole(LogMessage message, string hole, IReadOnlyList<KeyValuePair<string, object?>> values, int index)
    {
        int colon = hole.IndexOf(':', StringComparison.Ordinal);
        string? format = colon < 0 ? null : hole[(colon + 1)..];
        string name = colon < 0 ? hole : hole[..colon];
        int comma = name.IndexOf(',', StringComparison.Ordinal);
        int width = comma >= 0 && int.TryParse(name.AsSpan(comma + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int asked) ? asked : 0;
        name = comma < 0 ? name : name[..comma];

        object? value = Find(values, name, index);
        string text = Format(value, format);
        text = width < 0 ? text.PadRight(-width) : text.PadLeft(width);
        _ = value is IPublicValue ? message.Public(text) : message.Private(text);
    }

    /// <summary>By place, as messages with a parameter list have them, else by name, as generated methods do.</summary>
    private static object? Find(IReadOnlyList<KeyValuePair<string, object?>> values, string name, int index) =>
        index < values.Count && values[index].Key == name ? values[index].Value : values.FirstOrDefault(value => value.Key == name).Value;

    private static string Format(object? value, string? format) => value switch
    {
        null => "(null)",
        string text => text,
        IFormattable formattable => formattable.ToString(format, CultureInfo.InvariantCulture),
        IEnumerable several => string.Join(", ", several.Cast<object?>().Select(one => Format(one, format))),
        _ => value.ToString() ?? "",
    };
}
