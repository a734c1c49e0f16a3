using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;

namespace Exclaves.Cli.Tests;

/// <summary>A text file that says what a machine has, what was typed, and what must come out.</summary>
/// <remarks>
/// <code>
/// # what this shows
/// have sh cat            programs of the real machine
/// fake dpkg: echo amd64  a program of our own; \n starts a new line of it
/// user nobody            not root
/// file NAME: text        a file of the repository
/// link NAME: target      a link in the repository
/// $ exclave setup        the command
/// | a line of standard output
/// ! a line of standard error
/// = 127                  exit status
/// </code>
/// </remarks>
public sealed class Transcript
{
    private readonly List<string> _setting = [];
    private readonly StringBuilder _expected = new();
    private string[] _words = [];

    public static Transcript Read(string path)
    {
        Transcript transcript = new();
        foreach (string line in File.ReadLines(path))
        {
            if (line.StartsWith("$ ", StringComparison.Ordinal))
            {
                transcript._words = line[2..].Split(' ');
            }
            else if (line.Length > 0 && line[0] is '|' or '!' or '=')
            {
                transcript._expected.Append(line).Append('\n');
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                transcript._setting.Add(line);
            }
        }

        return transcript;
    }

    /// <summary>Plays it; answers what must come and what came, in the same form.</summary>
    public async Task<(string Expected, string Actual)> Play()
    {
        using FakeHost host = new();
        bool asNobody = false;
        foreach (string line in _setting)
        {
            string[] words = line.Split(' ', 2);
            string[] named = words[1].Split(": ", 2);
            switch (words[0])
            {
                case "have":
                    host.Link(words[1].Split(' '));
                    break;
                case "fake":
                    host.Fake(named[0], named[1].Replace("\\n", "\n", StringComparison.Ordinal));
                    break;
                case "user":
                    asNobody = true;
                    break;
                case "file":
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(host.Root, named[0]))!);
                    File.WriteAllText(Path.Combine(host.Root, named[0]), named[1].Replace("\\n", "\n", StringComparison.Ordinal));
                    break;
                case "link":
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(host.Root, named[0]))!);
                    File.CreateSymbolicLink(Path.Combine(host.Root, named[0]), named[1]);
                    break;
                default:
                    throw new InvalidDataException($"A transcript has an unknown line: {line}");
            }
        }

        (int status, string output, string errors) = await host.Run(_words, asNobody);
        return (_expected.ToString(), Mark('|', output) + Mark('!', errors) + $"= {status}\n");
    }

    private static string Mark(char mark, string text) =>
        string.Concat(text.Split('\n').SkipLast(text.EndsWith('\n') || text.Length == 0 ? 1 : 0).Select(line => $"{mark} {line}".TrimEnd() + "\n"));
}
