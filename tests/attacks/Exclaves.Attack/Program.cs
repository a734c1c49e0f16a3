using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Attacks;
using Exclaves.Client;
using Exclaves.Host;

namespace Exclaves.Attack;

/// <summary>`exclave-attack`: asks the kernel module for attacks, judges and reports them.</summary>
internal static class Program
{
    public static int Main(string[] arguments) =>
        CommandLineProgram.Run("exclave-attack", Commands(), arguments, error => error is InvalidOperationException or ArgumentException);

    private static RootCommand Commands()
    {
        Option<AttackMachine> machine = new("--machine") { Description = "The machine this is." };
        Option<string> without = new("--without") { Description = "Defences, separated by commas, that this build lacks: what aims at them must succeed.", DefaultValueFactory = _ => "" };
        Option<string> only = new("--only") { Description = "A name, the start of one, or an invariant.", DefaultValueFactory = _ => "" };
        Command suite = new("suite", "The attacks of the catalogue.") { machine, without, only };
        suite.SetAction(parsed => RunSuite(parsed.GetValue(machine), parsed.GetValue(without)!, parsed.GetValue(only)!));

        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command measure = new("measure", "Instructions between HVC and return of a null call of Hello.") { json };
        measure.SetAction(parsed =>
        {
            using AttackDevice device = AttackDevice.Open();
            return Measure.Run(device, parsed.GetValue(json));
        });

        Command measureGate = new("measure-gate", "Instructions of the gate and of changes of a frame. Needs the rogue kernel, which takes no command afterwards.") { json };
        measureGate.SetAction(parsed =>
        {
            using AttackDevice device = AttackDevice.Open();
            return MeasureGate.Run(device, parsed.GetValue(json));
        });

        Argument<string> dumpFile = new("DUMP");
        Argument<string> keyFile = new("PUBLIC");
        Command find = new("find-key", "Looks for a key pair in a memory dump.") { dumpFile, keyFile };
        find.SetAction(parsed => FindKey(parsed.GetValue(dumpFile)!, parsed.GetValue(keyFile)!));

        Command measurements = new("measurements", "The measurement log as the compromised component reads it, in hexadecimal.");
        measurements.SetAction(_ => PrintMeasurements());

        Argument<SptmCounter> name = new("COUNTER");
        Command counter = new("counter", "One counter of SPTM.") { name };
        counter.SetAction(parsed =>
        {
            using AttackDevice device = AttackDevice.Open();
            Console.Out.WriteLine(device.Counter(parsed.GetValue(name)) ?? throw new InvalidOperationException("SPTM does not answer"));
            return 0;
        });

        Argument<string> address = new("ADDRESS");
        Argument<string> access = new("ACCESS");
        Argument<int> bytes = new("BYTES");
        Argument<string> value = new("VALUE");
        Argument<int> restore = new("RESTORE");
        Command touch = new("touch", "One access from this process, or a read of the kernel (ACCESS = kernel).") { address, access, bytes, value, restore };
        touch.Hidden = true;
        touch.SetAction(parsed =>
        {
            using AttackDevice device = AttackDevice.Open();
            if (parsed.GetValue(access) == "kernel")
            {
                AttackRequest request = device.Run(AttackKind.Read, Number(parsed.GetValue(address)!), (ulong)parsed.GetValue(bytes));
                Console.Out.WriteLine(request.Error == 0 ? request.Out[0].ToString("x", CultureInfo.InvariantCulture) : $"error {request.Error}");
                return 0;
            }

            ulong found = device.Touch(
                Number(parsed.GetValue(address)!), parsed.GetValue(access)!, parsed.GetValue(bytes), Number(parsed.GetValue(value)!), parsed.GetValue(restore) == 1);
            Console.Out.WriteLine(found.ToString("x", CultureInfo.InvariantCulture));
            return 0;
        });

        return new RootCommand("Attacks of an owned Linux kernel on the secure world.") { suite, measure, measureGate, counter, measurements, find, touch, RogueCommands.Create() };
    }

    private static int RunSuite(AttackMachine machine, string without, string only)
    {
        using Field field = new(machine);
        Defence[] left = [.. without.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<Defence>)];
        return Suite.Create().Run(field, machine, left, only) ? 0 : CommandLineProgram.ExitRefused;
    }

    private static int PrintMeasurements()
    {
        using Field field = new(AttackMachine.Usual);
        using Intruder intruder = new(field.Driver);
        byte[] log = new byte[MeasurementLog.Bytes];
        for (int at = 0; at < log.Length; at += sizeof(ulong))
        {
            StepResult word = intruder.Step(IntruderStep.Load, UserLayout.Measurements + (ulong)at);
            if (word.Reason != ReflectReason.None)
            {
                throw new InvalidOperationException($"the component cannot read its measurement log: {word}");
            }

            BinaryPrimitives.WriteUInt64LittleEndian(log.AsSpan(at), word.Value);
        }

        Console.Out.WriteLine(Convert.ToHexString(log));
        return 0;
    }

    private static int FindKey(string dumpFile, string keyFile)
    {
        KeySearchResult found = KeySearch.Search(File.ReadAllBytes(dumpFile), ReadKey(keyFile));
        Console.Out.WriteLine(found.ToString());
        return found.PrivateKeyAt is null ? CommandLineProgram.ExitRefused : 0;
    }

    private static byte[] ReadKey(string file) =>
        Pem.Decode(File.ReadAllText(file)) ?? throw new InvalidOperationException($"{file} holds no public key in PEM");

    private static ulong Number(string text) => Convert.ToUInt64(text, 16);
}
