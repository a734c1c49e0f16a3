using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Spectre.Console;

namespace Exclaves.Cli.Terminal;

/// <summary>What the tool says while it works: progress on standard error, results on standard output.</summary>
/// <remarks>On a terminal a step is a spinner that becomes a line; elsewhere it is plain lines, with a sign of life in long steps.</remarks>
public sealed class Screen
{
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(30);

    private readonly IAnsiConsole _progress;
    private readonly IAnsiConsole _results;
    private readonly bool _isTerminal;
    private readonly Lock _lock = new();
    private string _detail = "";

    public Screen()
    {
        _isTerminal = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        _progress = MakeConsole(Console.Error, _isTerminal);
        _results = MakeConsole(Console.Out, !Console.IsOutputRedirected);
    }

    /// <summary>True: nothing but errors is said.</summary>
    public bool IsQuiet { get; set; }

    /// <summary>Runs <paramref name="work"/> and says so. <paramref name="work"/> may call <see cref="Detail"/> and return a remark.</summary>
    public async Task Step(string title, Func<Task<string>> work)
    {
        if (IsQuiet)
        {
            await work();
            return;
        }

        Stopwatch watch = Stopwatch.StartNew();
        string? remark = null;
        _detail = "";
        try
        {
            remark = _isTerminal ? await Spin(title, watch, work) : await Tell(title, watch, work);
        }
        finally
        {
            string outcome = remark == null ? "failed" : remark.Length == 0 ? "done" : remark;
            if (_isTerminal)
            {
                _progress.MarkupLineInterpolated($"{(remark == null ? "[red]✗[/]" : "[green]✓[/]")} {title}: {outcome} [grey]({Seconds(watch.Elapsed)})[/]");
            }
            else
            {
                WriteError($"{title}: {outcome} ({Seconds(watch.Elapsed)})");
            }
        }
    }

    public Task Step(string title, Func<Task> work) => Step(title, async () =>
    {
        await work();
        return "";
    });

    /// <summary>What the current step is at. Never shown where it would scroll.</summary>
    public void Detail(string detail) => _detail = detail;

    public void Note(string line)
    {
        if (!IsQuiet)
        {
            WriteError(line);
        }
    }

    public static void Error(string line) => Console.Error.WriteLine("exclave: " + line);

    /// <summary>A result line on standard output.</summary>
    public static void Result(string line) => Console.Out.WriteLine(line);

    /// <summary>A table on standard output: drawn on a terminal, columns of text elsewhere.</summary>
    public void Table(string title, IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        if (!Console.IsOutputRedirected)
        {
            Table table = new Table().Border(TableBorder.Rounded).Title(Markup.Escape(title));
            foreach (string column in header)
            {
                table.AddColumn(new TableColumn(Markup.Escape(column)));
            }

            foreach (IReadOnlyList<string> row in rows)
            {
                List<Text> cells = [];
                foreach (string cell in row)
                {
                    cells.Add(new Text(cell));
                }

                table.AddRow(cells);
            }

            _results.Write(table);
            return;
        }

        Console.Out.WriteLine(title);
        Console.Out.Write(PlainTable.Format(header, rows));
    }

    public static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";

    private async Task<string> Spin(string title, Stopwatch watch, Func<Task<string>> work)
    {
        return await _progress.Status().Spinner(Spinner.Known.Dots).StartAsync(Markup.Escape(title), async status =>
        {
            Task<string> running = work();
            while (await Task.WhenAny(running, Task.Delay(200)) != running)
            {
                string detail = Clip(_detail, Math.Max(20, _progress.Profile.Width - title.Length - 20));
                status.Status($"{Markup.Escape(title)} [grey]{Seconds(watch.Elapsed)} {Markup.Escape(detail)}[/]");
            }

            return await running;
        });
    }

    private async Task<string> Tell(string title, Stopwatch watch, Func<Task<string>> work)
    {
        WriteError(title + " ...");
        Task<string> running = work();
        while (await Task.WhenAny(running, Task.Delay(SignOfLife)) != running)
        {
            WriteError($"{title}: {Seconds(watch.Elapsed)} {_detail}".TrimEnd());
        }

        return await running;
    }

    private void WriteError(string line)
    {
        lock (_lock)
        {
            Console.Error.WriteLine(line);
        }
    }

    private static string Clip(string text, int width) => text.Length <= width ? text : text[..(width - 1)] + "…";

    private static IAnsiConsole MakeConsole(TextWriter writer, bool isTerminal) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(writer),
        Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
    });
}
