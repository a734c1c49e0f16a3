using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Tools;

namespace Exclaves.Boot.Tests;

/// <summary>A machine that stands still instead of ending, so that its memory can be read from outside, as by cooled memory modules or a board's next owner.</summary>
internal static class PausedMachine
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Boots, runs a script, waits until the guest ends the machine, or until its console holds <paramref name="until"/>; answers a range of physical memory.</summary>
    public static async Task<byte[]> MemoryAfter(string script, string? until, ulong address, int bytes)
    {
        Workspace workspace = Workspace.Find();
        GuestPackages packages = GuestPackages.TryOpen(workspace)!;
        using CancellationTokenSource limit = new(Limit);
        using RunFolder folder = RunFolder.Take(workspace);
        DirectoryInfo sockets = Directory.CreateTempSubdirectory("exclave-");
        try
        {
            SystemImage.Build(workspace, packages, new GuestOrder(["sh", "-c", script], HasShare: false, GuestRun.MakeMarker()), Guest.Usual, folder.Image);
            string output = Path.Combine(sockets.FullName, "out");
            string errors = Path.Combine(sockets.FullName, "err");
            string control = Path.Combine(sockets.FullName, "qmp");
            using Socket outputListener = Listen(output);
            using Socket errorListener = Listen(errors);
            using Socket controlListener = Listen(control);
            List<string> arguments = [.. QemuCommandLine.ForRun(Guest.Usual, folder.Image, output, errors), "-no-shutdown", "-qmp", $"unix:{control}"];
            using ProcessGroup qemu = ProcessGroup.Start(QemuCommandLine.Program, arguments);
            qemu.Process.StandardInput.Close();
            using Socket connection = await controlListener.AcceptAsync(limit.Token);
            using StreamReader answers = new(new NetworkStream(connection));
            await Send(connection, """{ "execute": "qmp_capabilities" }""");
            if (until == null)
            {
                _ = qemu.Process.StandardOutput.ReadToEndAsync(limit.Token);
                await Await(answers, line => line.TryGetProperty("event", out JsonElement name) && name.GetString() == "STOP", limit.Token);
            }
            else
            {
                while (await qemu.Process.StandardOutput.ReadLineAsync(limit.Token) is { } line && !line.Contains(until, StringComparison.Ordinal))
                {
                }

                await Send(connection, """{ "execute": "stop", "id": "stop" }""");
                await Await(answers, IsAnswerTo("stop"), limit.Token);
            }

            string file = Path.Combine(sockets.FullName, "memory");
            await Send(connection, $$"""{ "execute": "pmemsave", "arguments": { "val": {{address}}, "size": {{bytes}}, "filename": "{{file}}" }, "id": "save" }""");
            await Await(answers, IsAnswerTo("save"), limit.Token);
            return await File.ReadAllBytesAsync(file, limit.Token);
        }
        finally
        {
            sockets.Delete(recursive: true);
        }
    }

    private static Socket Listen(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(1);
        return socket;
    }

    private static async Task Send(Socket connection, string command) => await connection.SendAsync(Encoding.UTF8.GetBytes(command + "\n"));

    private static Func<JsonElement, bool> IsAnswerTo(string id) =>
        line => line.TryGetProperty("return", out _) && line.TryGetProperty("id", out JsonElement name) && name.GetString() == id;

    private static async Task Await(StreamReader answers, Func<JsonElement, bool> isIt, CancellationToken cancel)
    {
        while (await answers.ReadLineAsync(cancel) is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (isIt(document.RootElement))
            {
                return;
            }
        }

        throw new InvalidOperationException("QEMU ended before it answered.");
    }
}
