using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>`exclave-attack`: asks the kernel module for attacks, judges and reports them.</summary>
internal static class Program
{
    private const int ExitBroken = 1;
    private const int ExitUsage = 2;
    private const string SignerComponent = "signer";
    private const string PanicOnOops = "/proc/sys/kernel/panic_on_oops";

    public static int Main(string[] arguments)
    {
        ParseResult parsed = Commands().Parse(arguments);
        if (parsed.Errors.Count != 0)
        {
            return Complain(string.Join(" ", parsed.Errors.Select(error => error.Message)), ExitUsage);
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception error) when (error is InvalidOperationException or TeeException or IOException or ArgumentException)
        {
            return Complain(error.Message, ExitBroken);
        }
    }

    private static RootCommand Commands()
    {
        Option<string> expect = new("--expect") { Description = "What must come of every attack.", Required = true };
        _ = expect.AcceptOnlyFromAmong("stopped", "succeeds");
        Option<string?> dump = new("--dump") { Description = "Where to write the signer's memory, if it can be read, and beside it (.pem) the public key." };
        Option<string[]> targets = new("--target") { Description = "NAME=ADDRESS (hexadecimal): another address for a target, or one more.", DefaultValueFactory = _ => [] };
        Option<bool> noSecureWorld = new("--bare") { Description = "Do not ask the secure world for anything: only the targets given." };
        Command memory = new("memory", "Every kind of access on every kind of secure frame.") { expect, dump, targets, noSecureWorld };
        memory.SetAction(parsed => Memory(
            parsed.GetValue(expect) == "succeeds", parsed.GetValue(dump), parsed.GetValue(targets)!, parsed.GetValue(noSecureWorld)));

        Command driver = new("driver", "Hostile calls past Linux's own driver.");
        driver.SetAction(_ => Driver());

        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command measure = new("measure", "Instructions between HVC and return of a null call of Hello.") { json };
        measure.SetAction(parsed =>
        {
            using AttackDevice device = AttackDevice.Open();
            return Measure.Run(device, parsed.GetValue(json));
        });

        Argument<string> dumpFile = new("DUMP");
        Argument<string> keyFile = new("PUBLIC");
        Command find = new("find-key", "Looks for a key pair in a memory dump.") { dumpFile, keyFile };
        find.SetAction(parsed => FindKey(parsed.GetValue(dumpFile)!, parsed.GetValue(keyFile)!));

        Argument<string> address = new("ADDRESS");
        Argument<string> access = new("ACCESS");
        Argument<int> bytes = new("BYTES");
        Argument<string> value = new("VALUE");
        Argument<int> restore = new("RESTORE");
        Command touch = new("touch", "One access from this process.") { address, access, bytes, value, restore };
        touch.Hidden = true;
        touch.SetAction(parsed =>
        {
            using AttackDevice device = AttackDevice.Open();
            ulong found = device.Touch(
                Number(parsed.GetValue(address)!), parsed.GetValue(access)!, parsed.GetValue(bytes), Number(parsed.GetValue(value)!), parsed.GetValue(restore) == 1);
            Console.Out.WriteLine(found.ToString("x", CultureInfo.InvariantCulture));
            return 0;
        });

        return new RootCommand("Attacks of an owned Linux kernel on the secure world.") { memory, driver, measure, find, touch, RogueCommands.Create() };
    }

    private static int Memory(bool succeeds, string? dump, string[] overrides, bool bare)
    {
        using AttackDevice device = AttackDevice.Open();
        LetOopsKillOneThread();
        Report report = new();
        MemoryAttacks attacks = new(device, report, succeeds);
        if (!bare)
        {
            WakeConclaves();
        }

        List<Target> targets = Target.Find(bare ? [] : Components(), overrides);
        if (bare)
        {
            targets = [.. targets.Where(target => overrides.Any(text => text.StartsWith(target.Name + "=", StringComparison.Ordinal)))];
        }

        attacks.RunReadings(targets);
        if (!bare)
        {
            HuntKey(attacks, dump);
        }

        attacks.RunChanges(targets);
        if (!bare)
        {
            StillSigns(report);
        }

        report.PrintTable();
        return report.Clean ? 0 : ExitBroken;
    }

    // A session stays open, so its key pair is alive in the conclave's memory while that is searched.
    private static void HuntKey(MemoryAttacks attacks, string? dump)
    {
        using TeeDevice device = TeeDevice.Open();
        using SignerClient signer = SignerClient.Open(device);
        byte[] publicKey = signer.Generate();
        _ = signer.Sign(new byte[SignerClient.DigestBytes]);
        ComponentReport component = Components().FirstOrDefault(one => one.Name.Contains(SignerComponent, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException("the secure world lists no component named like the signer");
        attacks.KeyHunt(component, publicKey, dump);
    }

    private static int Driver()
    {
        using AttackDevice device = AttackDevice.Open();
        LetOopsKillOneThread();
        Report report = new();
        new DriverAttacks(device, report).Run();
        StillSigns(report);
        report.PrintTable();
        return report.Clean ? 0 : ExitBroken;
    }

    private static int FindKey(string dumpFile, string keyFile)
    {
        KeySearchResult found = KeySearch.Search(File.ReadAllBytes(dumpFile), ReadKey(keyFile));
        Console.Out.WriteLine(found.ToString());
        return found.PrivateKeyAt is null ? ExitBroken : 0;
    }

    // Whatever was tried: Linux's own driver works, and so does the signer behind it.
    private static void StillSigns(Report report)
    {
        string outcome;
        bool ok = false;
        try
        {
            using TeeDevice device = TeeDevice.Open();
            using SignerClient signer = SignerClient.Open(device);
            _ = signer.Generate();
            outcome = $"signature of {signer.Sign(new byte[SignerClient.DigestBytes]).Length} bytes";
            ok = true;
        }
        catch (TeeException error)
        {
            outcome = error.Message;
        }

        report.Add(new AttackResult("afterwards", "signer", 0, outcome, "", 0, "a signature", ok));
    }

    // Conclaves start with their first caller; before that they have no memory to attack.
    private static void WakeConclaves()
    {
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        using SignerClient signer = SignerClient.Open(device);
        hello.Null();
        _ = signer.Generate();
    }

    private static IReadOnlyList<ComponentReport> Components()
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        return statistics.Components();
    }

    private static void LetOopsKillOneThread()
    {
        if (File.Exists(PanicOnOops))
        {
            File.WriteAllText(PanicOnOops, "0");
        }
    }

    private static byte[] ReadKey(string file) =>
        Pem.Decode(File.ReadAllText(file)) ?? throw new InvalidOperationException($"{file} holds no public key in PEM");

    private static ulong Number(string text) => Convert.ToUInt64(text, 16);

    private static int Complain(string message, int exit)
    {
        Console.Error.WriteLine($"exclave-attack: {message}");
        return exit;
    }
}
