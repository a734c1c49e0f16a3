using System;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Exclaves.Client;

namespace Exclaves.Ctl;

/// <summary>Records as lines, for people or for programs. The secure world has made their texts harmless for a terminal.</summary>
internal sealed class LogWriter(TextWriter output, bool json)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Records that are not there any more, before the next one that is.</summary>
    public void Lost(ulong count)
    {
        if (count == 0)
        {
            return;
        }

        if (json)
        {
            WriteObject(writer => writer.WriteNumber("lost", count));
        }
        else
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"-- {count} records were dropped --"));
        }
    }

    public void Write(LogReport record)
    {
        if (!json)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{record.Time.TotalSeconds,12:F6}] {LogCommand.NameOf(record.Level)} {record.Source}: {record.Text}"));
            return;
        }

        WriteObject(writer =>
        {
            writer.WriteNumber("sequence", record.Sequence);
            writer.WriteNumber("microseconds", (ulong)record.Time.Ticks / (ulong)TimeSpan.TicksPerMicrosecond);
            writer.WriteString("level", LogCommand.NameOf(record.Level));
            writer.WriteString("source", record.Source);
            writer.WriteString("text", record.Text);
        });
    }

    private void WriteObject(Action<Utf8JsonWriter> fill)
    {
        using MemoryStream line = new();
        using (Utf8JsonWriter writer = new(line, Options))
        {
            writer.WriteStartObject();
            fill(writer);
            writer.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length)));
    }
}
