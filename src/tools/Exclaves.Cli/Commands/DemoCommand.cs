using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Attacks;
using Exclaves.Cli.Attacks;
using Exclaves.Cli.Demo;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave demo`: a signature that the kernel cannot forge, and a kernel that tries.</summary>
public static class DemoCommand
{
    private const string DefaultFile = "README.md";
    private const int ShownFaults = 8;

    /// <summary>What the guest's part (src/guest/demo.sh) tries of the catalogue: accesses of Linux, and calls past its driver.</summary>
    private const string Attacks = "kernel,process,walk,lpi,device";
    private const string Calls = "call,psci";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(180);

    public static Command Create(Session session)
    {
        Argument<string?> file = new("FILE") { Description = $"File to sign ({DefaultFile} when left out)", Arity = ArgumentArity.ZeroOrOne };
        Command command = new("demo", "Signs FILE with a key made inside a conclave, then attacks the secure world from Linux's kernel") { file };
        command.SetAction((parsed, cancel) => Run(session, parsed.GetValue(file), cancel));
        return command;
    }

    private static async Task<int> Run(Session session, string? file, CancellationToken cancel)
    {
        Stopwatch watch = Stopwatch.StartNew();
        string path = file ?? Path.Combine(session.Workspace.Root, DefaultFile);
        RequireReadable(path);
        GuestPackages packages = await session.Prepare(build: true, cancel);
        string folder = MakeFolder(session.Workspace, path);
        string message = Path.Combine(folder, "message");

        GuestDemo guarded = new(session.Screen);
        GuestOutcome outcome = await Boot(session, packages, "protected", ImageVariant.Normal, folder, guarded, cancel);
        if (guarded.Step("sign") is not { Status: 0 })
        {
            throw new ExclaveException($"The file was not signed: {outcome.Failure ?? guarded.ComplaintOf("sign")}");
        }

        SignatureCheck check = new(folder, cancel);
        string publicKey = Path.Combine(folder, "public.pem");
        string signature = Path.Combine(folder, "signature.bin");
        bool isVerified = await check.Verifies(publicKey, signature, message);
        bool isChangedRefused = !await check.Verifies(publicKey, signature, check.Change(message));
        bool isForgeryRefused = !await check.Verifies(publicKey, await check.Forge(message), message);
        bool signsAgain = guarded.Step("again") is { Status: 0 }
            && await check.Verifies(Path.Combine(folder, "again.pem"), Path.Combine(folder, "again.bin"), message);

        GuestDemo open = new(session.Screen);
        GuestOutcome openOutcome = await Boot(session, packages, "open", ImageVariant.Weak, null, open, cancel);
        List<AttackRow> rows = [.. AttackCatalogue.All.Where(row => row.Machine == AttackMachine.Usual && AttackCatalogue.Matches(row, Attacks))];
        List<AttackRow> calls = [.. AttackCatalogue.All.Where(row => row.Machine == AttackMachine.Usual && AttackCatalogue.Matches(row, Calls))];
        IReadOnlyList<AttackVerdict> verdicts = AttackVerdict.Join([.. rows, .. calls], [.. guarded.Attacks, .. open.Attacks]);
        File.WriteAllText(Path.Combine(folder, "attacks.json"), JsonSerializer.Serialize(verdicts, JsonSerializerOptions.Web) + "\n");
        List<string> faults = [.. verdicts.Where(verdict => !verdict.Passed).Select(verdict => $"{verdict.Name}: {verdict.Problem}")];
        AddFault(faults, outcome.Failure == null, outcome.Failure ?? "");
        AddFault(faults, openOutcome.Failure == null, "without protection: " + openOutcome.Failure);
        AddFault(faults, isVerified, "openssl does not accept the signature");
        AddFault(faults, isChangedRefused, "openssl accepts the signature for a changed file");
        AddFault(faults, isForgeryRefused, "openssl accepts a forged signature");
        AddFault(faults, guarded.Step("attack") is { Status: 0 }, "the attacks did not all come out as expected: " + guarded.ComplaintOf("attack"));
        AddFault(faults, guarded.Step("calls") is { Status: 0 }, "the hostile calls were not all refused: " + guarded.ComplaintOf("calls"));
        AddFault(faults, open.Step("attack") is { Status: 0 }, "without protection the attacks did not all succeed: " + open.ComplaintOf("attack"));
        AddFault(faults, signsAgain, "signing did not work after the attacks: " + guarded.ComplaintOf("again"));

        string none = "";
        session.Screen.Table(
            $"exclave demo: {Path.GetFileName(path)}, {Screen.Seconds(watch.Elapsed)} in all",
            ["what was tried", "what happened", "without protection", "time"],
            [
                ["boot to a shell with /dev/tee0", "ready", none, TimeOf(outcome.Console, "ready")],
                ["sign with a key made in a conclave", isVerified ? "verified by openssl" : "NOT VERIFIED", none, TimeOf(guarded, "sign")],
                ["the same signature, one bit of the file changed", isChangedRefused ? "refused by openssl" : "ACCEPTED", none, none],
                ["a signature by another key", isForgeryRefused ? "refused by openssl" : "ACCEPTED", none, none],
                .. rows.Select(row => new[] { row.Tried, Sum(guarded.Attacks, row, "stopped"), Sum(open.Attacks, row, "succeed"), none }),
                [$"{guarded.Attacks.Where(part => calls.Any(row => row.Name == part.Name)).Sum(part => part.Attempts)} hostile calls past Linux's driver", guarded.Step("calls") is { Status: 0 } ? "refused" : "NOT ALL REFUSED", none, TimeOf(guarded, "calls")],
                ["Linux lives on and signs again", signsAgain ? "verified by openssl" : "NOT VERIFIED", none, TimeOf(guarded, "again")],
            ]);
        foreach (string fault in faults.Take(ShownFaults))
        {
            Screen.Error(fault);
        }

        if (faults.Count > ShownFaults)
        {
            Screen.Error($"and {faults.Count - ShownFaults} more; all attempts: {session.Workspace.Relative(folder)}/attacks.json");
        }

        Workspace workspace = session.Workspace;
        Screen.Result($"{workspace.Relative(signature)} and {workspace.Relative(publicKey)}: check with openssl dgst -sha256 -verify");
        Screen.Result(faults.Count == 0 ? "Everything held." : $"{faults.Count} things did NOT hold.");
        return faults.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static void RequireReadable(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            string why = error is FileNotFoundException or DirectoryNotFoundException ? "it does not exist"
                : Directory.Exists(path) ? "it is a folder"
                : error is UnauthorizedAccessException ? "permission denied"
                : error.Message;
            throw new ExclaveException($"Cannot read '{path}': {why}.");
        }
    }

    /// <summary>An output folder with nothing of an earlier run in it, and the file for the guest.</summary>
    private static string MakeFolder(Workspace workspace, string path)
    {
        if (Directory.Exists(workspace.Demo))
        {
            Directory.Delete(workspace.Demo, recursive: true);
        }

        Directory.CreateDirectory(workspace.Demo);
        File.Copy(path, Path.Combine(workspace.Demo, "message"));
        return workspace.Demo;
    }

    private static async Task<GuestOutcome> Boot(
        Session session, GuestPackages packages, string part, ImageVariant variant, string? share, GuestDemo demo, CancellationToken cancel)
    {
        GuestOutcome? outcome = null;
        string title = variant == ImageVariant.Normal ? "demo: boot, sign, attack, sign again" : "demo: the same attacks on a build without protection";
        await session.Screen.Step(title, async () =>
        {
            outcome = await session.Run(
                packages,
                new MachineSpec { Share = share, Variant = variant },
                ["sh", "/usr/lib/exclave/demo.sh", part, Attacks, Calls],
                Limit,
                new LineStream(demo.TakeOutput),
                Stream.Null,
                cancel);
            return outcome.Failure == null ? $"{demo.Attacks.Sum(part => part.Attempts)} attempts" : "the machine FAILED";
        });
        return outcome!;
    }

    private static string Sum(IReadOnlyList<AttackPart> parts, AttackRow row, string verb) =>
        parts.FirstOrDefault(part => part.Name == row.Name) is { } found ? $"{found.Held} of {found.Attempts} {verb}" : "not tried";

    private static void AddFault(List<string> faults, bool holds, string otherwise)
    {
        if (!holds)
        {
            faults.Add(otherwise);
        }
    }

    private static string TimeOf(GuestDemo demo, string step) => demo.Step(step) is { } found ? Screen.Seconds(found.Time) : "";

    private static string TimeOf(ConsoleWatch console, string stage) =>
        console.Stages.FirstOrDefault(one => one.Name == stage) is { } found ? Screen.Seconds(found.Time) : "";
}
