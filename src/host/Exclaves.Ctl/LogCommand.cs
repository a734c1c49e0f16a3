using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Ctl;

/// <summary>`exclavectl log`.</summary>
internal static class LogCommand
{
    /// <summary>Nobody in the secure world waits for a reader, so a reader asks again.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly (string Name, LogSeverity Level)[] Levels =
    [
        ("trace", LogSeverity.Trace), ("debug", LogSeverity.Debug), ("information", LogSeverity.Information),
        ("warning", LogSeverity.Warning), ("error", LogSeverity.Error), ("critical", LogSeverity.Critical),
    ];

    public static string NameOf(LogSeverity level) => Levels.FirstOrDefault(known => known.Level == level).Name ?? "unknown";

    public static Command Create(Option<string?> connect)
    {
        Option<string> level = new("--level") { Description = "Records of this level and above.", DefaultValueFactory = _ => "trace" };
        level.AcceptOnlyFromAmong([.. Levels.Select(known => known.Name)]);
        Option<string?> source = new("--source") { Description = "Records of this component alone." };
        Option<bool> follow = new("--follow") { Description = "Go on with what comes." };
        Option<bool> json = new("--json") { Description = "One object of JSON for each record." };
        Command command = new("log", "The log of the secure world: what its components and conclaves said.") { level, source, follow, json };
        command.SetAction(parsed =>
        {
            LogSeverity least = Levels.First(known => known.Name == parsed.GetValue(level)).Level;
            return Show(parsed.GetValue(connect), least, parsed.GetValue(source), parsed.GetValue(follow), parsed.GetValue(json));
        });
        return command;
    }

    private static int Show(string? address, LogSeverity least, string? source, bool follow, bool json)
    {
        using LogClient client = LogClient.Over(ServiceConnection.Open(ServiceName.Log, address));
        using StreamWriter output = new(Console.OpenStandardOutput());
        LogWriter writer = new(output, json);

        // Who does not follow gets what is there now, however fast others write.
        ulong end = follow ? ulong.MaxValue : client.Newest();
        ulong before = 0;
        while (true)
        {
            IReadOnlyList<LogReport> records = client.Read(least, out ulong lost, out ulong read);
            writer.Lost(Math.Min(lost, end - before));
            foreach (LogReport record in records.Where(record => record.Sequence <= end && (source is null || record.Source == source)))
            {
                writer.Write(record);
            }

            output.Flush();
            if (read >= end || (read == before && !follow))
            {
                return 0;
            }

            if (read == before)
            {
                Thread.Sleep(Pause);
            }

            before = read;
        }
    }
}
