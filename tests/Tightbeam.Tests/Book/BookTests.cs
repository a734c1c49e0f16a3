using System;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sockets;
using Xunit;

namespace Exclaves.Book;

/// <summary>The code of docs/book/tightbeam.md: it is here, word for word, and it runs.</summary>
public partial class BookTests
{
    [Fact]
    public void CallsInOneProcess()
    {
        GuardedService<INotes, NotesDispatcher<INotes>> service = new(new Notes(), ServiceText.Shown);
        NotesClient<MemoryTransport> notes = new(new MemoryTransport(service));

        Result<NoteError> result = notes.Add("Buy milk."u8, out NoteId note);
        Assert.True(result.Succeeded);

        Span<byte> text = stackalloc byte[200];
        notes.Require(notes.Read(note, text, out int length));
        Assert.Equal("Buy milk.", Encoding.UTF8.GetString(text[..length]));

        // A note that is not there: as a value, with the service's words, and as an exception.
        result = notes.Read(new NoteId(7), text, out _);
        Assert.Equal(NoteError.Unknown, result.Error);
        Assert.Equal("there is no note 7", Encoding.UTF8.GetString(notes.FailureText));
        TightbeamException error = Assert.Throws<TightbeamException>(() => notes.Require(result));
        Assert.Equal((uint)NoteError.Unknown, error.Error);
    }

    [Fact]
    public async Task CallsOverASocket()
    {
        string path = Path.Combine(Path.GetTempPath(), $"book-{Guid.NewGuid():N}"[..20]);
        CancellationToken stop = CancellationToken.None;

        // Each connection is a session and has notes of its own.
        await using SocketServer server = new(path, _ => new GuardedService<INotes, NotesDispatcher<INotes>>(new Notes(), ServiceText.Shown));

        await using SocketTransport transport = await SocketTransport.Connect(path, cancellationToken: stop);
        NotesAsyncClient notes = new(transport);
        NoteId note = await notes.AddAsync("Buy milk."u8.ToArray(), Deadline.After(TimeSpan.FromSeconds(2)), stop);
        byte[] text = new byte[200];
        int length = await notes.ReadAsync(note, text, cancellationToken: stop);
        Assert.Equal("Buy milk.", Encoding.UTF8.GetString(text, 0, length));
        Assert.Equal(1u, await notes.CountAsync(cancellationToken: stop));
    }

    [Fact]
    public void EveryLineOfTheChapterIsCompiled()
    {
        string root = Root();
        string[] folders = [Path.Combine(root, "tests", "Tightbeam.Tests", "Book"), Path.Combine(root, "tests", "ExclaveKit.Stress"), Path.Combine(root, "tests", "Probe"), Path.Combine(root, "src", "conclaves"), Path.Combine(root, "src", "host"), Path.Combine(root, "src", "contracts", "Interfaces")];
        string sources = string.Join('\n', folders.SelectMany(f => Directory.EnumerateFiles(f, "*.cs", SearchOption.AllDirectories)).Select(File.ReadAllText).Select(Normalize));
        MatchCollection blocks = CodeBlock().Matches(File.ReadAllText(Path.Combine(root, "docs", "book", "tightbeam.md")));
        Assert.True(blocks.Count >= 6);
        foreach (Match block in blocks)
        {
            Assert.Contains(Normalize(block.Groups[1].Value), sources, StringComparison.Ordinal);
        }
    }

    /// <summary>Indentation is the surroundings' own.</summary>
    private static string Normalize(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim())).Trim('\n');

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
