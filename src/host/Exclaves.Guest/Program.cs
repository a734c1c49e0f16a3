using System;
using System.CommandLine;
using System.Globalization;
using Exclaves.Abi;
using Exclaves.Client;
using Exclaves.Host;

namespace Exclaves.Guest;

/// <summary>`exclave-guest`: tests and measurements that run on the machine's Linux.</summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        // The killed clients, a thousand of them: their start-up costs more than their lives, so it does without a parser.
        if (arguments is [Victim.Command, string kind, string seed])
        {
            return Victim.Run((VictimKind)int.Parse(kind, CultureInfo.InvariantCulture), int.Parse(seed, CultureInfo.InvariantCulture));
        }

        if (arguments is [WaitTests.Command])
        {
            return WaitTests.WaitForNobody();
        }

        if (arguments is [ParallelTests.Command])
        {
            return ParallelTests.ComputeForEver();
        }

        return CommandLineProgram.Run("exclave-guest", Commands(), arguments);
    }

    private static RootCommand Commands()
    {
        Option<int> count = new("--count") { Description = "How many, in all.", DefaultValueFactory = _ => 1000 };
        Option<int> processes = new("--processes") { Description = "Processes at a time.", DefaultValueFactory = _ => 4 };
        Option<int> threads = new("--threads") { Description = "Threads at a time.", DefaultValueFactory = _ => 4 };
        Option<int> seed = new("--seed") { Description = "Seed of the random numbers.", DefaultValueFactory = _ => 1 };
        Option<bool> json = new("--json") { Description = "Print JSON." };

        Option<string> copy = new("--service") { Description = "UUID of a copy of Hello.", DefaultValueFactory = _ => Services.Hello };
        Command hello = new("hello", "Random nonces through Hello's transform, every answer checked.") { count, processes, seed, copy };
        hello.SetAction(parsed => HelloLoad.Run(parsed.GetValue(count), parsed.GetValue(processes), parsed.GetValue(seed), parsed.GetValue(copy)!));

        Command worker = new("hello-worker", "One process of hello.") { count, seed, copy };
        worker.Hidden = true;
        worker.SetAction(parsed => HelloLoad.Work(parsed.GetValue(count), parsed.GetValue(seed), parsed.GetValue(copy)!));

        Command kill = new("killtest", "Kills clients at random moments; the secure world's counters must return to where they were.") { count, processes, seed };
        kill.SetAction(parsed => KillTest.Run(parsed.GetValue(count), parsed.GetValue(processes), parsed.GetValue(seed)));

        Command concurrency = new("concurrency", "Threads that share one session, and others with their own, mix all of Hello's operations.") { count, threads, seed };
        concurrency.SetAction(parsed => Concurrency.Run(parsed.GetValue(count), parsed.GetValue(threads), parsed.GetValue(seed)));

        Command malformed = new("malformed", "Calls that are wrong in one way each; every one has its expected refusal.") { json };
        malformed.SetAction(parsed => Malformed.Run(parsed.GetValue(json)));

        Command tightbeam = new("tightbeam", "Tightbeam calls of Hello (freestanding) and Signer (.NET): values, spans, text of refusals, random requests, deadlines.") { count, seed };
        tightbeam.SetAction(parsed => TightbeamTest.Run(parsed.GetValue(count), parsed.GetValue(seed)));

        Command crash = new("crash", "Makes Hello fault: the caller learns it, other services go on.");
        crash.SetAction(_ => Crash.Run());

        Option<string> called = new("--service") { Description = "UUID of any service.", Required = true };
        Option<uint> operation = new("--operation") { Description = "Number of the operation, which takes no parameters.", DefaultValueFactory = _ => 1 };
        Command invoke = new("invoke", "One call without parameters; says what it answered.") { called, operation };
        invoke.SetAction(parsed => Invoke(parsed.GetValue(called)!, parsed.GetValue(operation)));

        Option<string> service = new("--service") { Description = "UUID of a component of the core that faults on request.", Required = true };
        Command panic = new("panic", "Makes a component of the core fault: callers learn it, the one who did it is parked.") { service, threads };
        panic.SetAction(parsed => Panic.Run(parsed.GetValue(service)!, parsed.GetValue(threads)));

        Argument<string> target = new("SERVICE");
        Command panicking = new(Panic.Worker, "The process whose call panics.") { target };
        panicking.Hidden = true;
        panicking.SetAction(parsed => Panic.Work(parsed.GetValue(target)!));

        Option<int> pages = new("--pages") { Description = "Pages of memory.", DefaultValueFactory = _ => 512 };
        Command donate = new("donate", "Linux gives memory to Hello, which fills, compares and returns it, --count times; fill, check, drop, keep, grow do one step.") { count, pages };
        donate.SetAction(parsed => Donate.Run(parsed.GetValue(count), parsed.GetValue(pages)));
        foreach (HelloMemoryAction action in (HelloMemoryAction[])[HelloMemoryAction.Fill, HelloMemoryAction.Check, HelloMemoryAction.Drop, HelloMemoryAction.Keep])
        {
            Command step = new(Enum.GetName(action)!.ToLowerInvariant(), "One step.") { pages };
            step.SetAction(parsed => Donate.Step(action, parsed.GetValue(pages)));
            donate.Add(step);
        }

        Command grow = new("grow", "Hello takes pages, and asks nobody: what it is short of comes by itself.") { pages };
        grow.SetAction(parsed => Donate.Grow(parsed.GetValue(pages)));
        donate.Add(grow);

        Command stats = new("stats", "Prints the secure world's counters and components.") { json };
        stats.SetAction(parsed => Stats.Run(parsed.GetValue(json)));

        Command resources = new("resources", "Prints everything in the secure world that has a name: services with their clients' sessions, components.");
        resources.SetAction(_ => Inventory.Resources());
        Command memory = new("memory", "Prints what memory the secure world has, and who uses how much.");
        memory.SetAction(_ => Inventory.Memory());

        Command bench = new("bench", "Instructions per call. Needs -icount shift=0,sleep=off and one CPU.") { json };
        bench.SetAction(parsed => Bench.Run(parsed.GetValue(json)));

        Command probe = new("probe", "Has tests/Probe measure and attack the secure kernel from inside. Needs a machine with tests/Probe/probe.json.");
        Command inside = new("bench", "Instructions of the secure kernel's calls. Needs -icount shift=0,sleep=off and one CPU.") { json };
        inside.SetAction(parsed => Bench.RunProbe(parsed.GetValue(json)));
        probe.Add(inside);
        Command hostile = new("hostile", "Every system call of the secure kernel with every kind of wrong argument, then --count random ones: each is refused for its reason, nothing is left behind.") { count, seed };
        hostile.SetAction(parsed => ProbeTests.Hostile(parsed.GetValue(count), parsed.GetValue(seed)));
        probe.Add(hostile);
        Command walk = new("walk", "Random walks of --count system calls at secure EL0 against a plain model of capabilities and objects (tests/ObjectModel).") { count, seed };
        walk.SetAction(parsed => ProbeTests.Walk(parsed.GetValue(count), parsed.GetValue(seed)));
        probe.Add(walk);
        Option<int> turns = new("--turns") { Description = "How often a thread that is alone inside looks for the other.", DefaultValueFactory = _ => 1_000_000 };
        Command meet = new("meet", "Two threads of Linux meet inside one service: its own threads serve them at once.") { turns };
        meet.SetAction(parsed => ProbeTests.Meet(parsed.GetValue(turns)));
        probe.Add(meet);
        Command end = new("end", "The component ends, in the way named; its caller is told.");
        for (ProbeFault fault = ProbeFault.None + 1; fault < ProbeFault.Count; fault++)
        {
            ProbeFault kind = fault;
            Command one = new(Enum.GetName(fault)!, "One way.");
            one.SetAction(_ => ProbeTests.End(kind));
            end.Add(one);
        }

        probe.Add(end);
        Command flood = new("flood", "A component sends the log --count records in another's name, and tries to read it.") { count };
        flood.SetAction(parsed => ProbeTests.Flood(parsed.GetValue(count)));
        probe.Add(flood);
        Command peer = new("peer", "A component calls others while it serves a call: what it serves stays whole. Echo ends in it, so once in a machine.");
        peer.SetAction(_ => ProbeTests.Peer());
        probe.Add(peer);
        Command starts = new("threads", "A component starts threads with every kind of wrong argument, then as many as it may, --count times. Needs a machine with tests/Probe/threads.json.") { count };
        starts.SetAction(parsed => ProbeTests.StartThreads(parsed.GetValue(count)));
        probe.Add(starts);
        for (ProbeStart start = ProbeStart.Refused + 1; start <= ProbeStart.NoStack; start++)
        {
            ProbeStart how = start;
            Command fatal = new("start" + how, "A thread that cannot run ends its component.");
            fatal.SetAction(_ => ProbeTests.StartFatally(how));
            probe.Add(fatal);
        }

        Command lent = new("lent", "Buffers that a service sees in place: read, filled, shared while the call lasts, out of reach after it.");
        lent.SetAction(_ => LentTests.Run());
        probe.Add(lent);
        Command wait = new("wait", "A call that waits inside for what nobody does sleeps in Linux and can be killed.");
        wait.SetAction(_ => WaitTests.Wait());
        probe.Add(wait);
        Command background = new("background", "A service that works on after its answer gets time from Linux.");
        background.SetAction(_ => WaitTests.Background());
        probe.Add(background);
        Command scale = new("scale", "What two threads get done at once, by the wall clock. Needs two CPUs.") { json };
        scale.SetAction(parsed => Scale.Run(parsed.GetValue(json)));
        probe.Add(scale);

        Command conclave = new("conclave", "A .NET conclave (tests/ExclaveKit.Bench). Needs a machine with its bench.json.");
        Command measured = new("bench", "Instructions of its start and of calls with a buffer, bytes that it has when idle, what callers of Hello feel of its start. Needs -icount shift=0,sleep=off and one CPU.") { json };
        measured.SetAction(parsed => Bench.RunConclave(parsed.GetValue(json)));
        conclave.Add(measured);
        Option<uint> wanted = new("--mebibytes") { Description = "Memory, in MiB.", DefaultValueFactory = _ => 40 };
        Command larger = new("grow", "It takes memory within one call, more than its own: Linux gives it.") { wanted };
        larger.SetAction(parsed => Growth.Run(parsed.GetValue(wanted)));
        conclave.Add(larger);

        Option<int> work = new("--rounds") { Description = "How long each thread computes.", DefaultValueFactory = _ => 1500 };
        Command parallel = new("parallel", "Threads of a .NET conclave compute at once, are collected, and outlive their callers. Needs a machine with tests/ExclaveKit.Stress/stress.json.") { threads, work };
        parallel.SetAction(parsed => ParallelTests.Run(parsed.GetValue(threads), parsed.GetValue(work)));

        Option<int[]> counts = new("--counts") { Description = "How many threads, in each measurement.", DefaultValueFactory = _ => [1, 2, 4], AllowMultipleArgumentsPerToken = true };
        Command callers = new("callers", "Instructions of a null call when several threads take turns. Needs -icount shift=0,sleep=off and one CPU.") { json, counts };
        callers.SetAction(parsed => Bench.RunCallers(parsed.GetValue(json), parsed.GetValue(counts)!));
        Option<int> number = new("--number") { Description = "How many services there are.", DefaultValueFactory = _ => 1 };
        Command services = new("services", "Instructions of a null call to one service.") { json, number, copy };
        services.SetAction(parsed => Bench.RunServices(parsed.GetValue(json), parsed.GetValue(number), parsed.GetValue(copy)!));
        Argument<string[]> copies = new("SERVICE") { Description = "UUIDs, one for each conclave beside Hello.", Arity = ArgumentArity.ZeroOrMore };
        Command conclaves = new("conclaves", "Instructions of a null call to Hello while 1, 2, 4 ... conclaves run.") { json, copies };
        conclaves.SetAction(parsed => Bench.RunConclaves(parsed.GetValue(json), parsed.GetValue(copies)!));
        Command growth = new("scale", "What a null call costs when there is more of something.") { callers, services, conclaves };

        Command latency = new("latency", "How long an interrupt has waited for the secure kernel at most. Instructions under -icount shift=0,sleep=off.") { json };
        latency.SetAction(parsed => Latency.Run(parsed.GetValue(json)));

        Option<int> seconds = new("--seconds") { Description = "How long.", DefaultValueFactory = _ => 600 };
        Command soak = new("soak", "Calls, crashes, kills, stops, donations, revocations, suspends and CPU hotplug at once; nothing hangs, nothing is wrong, every counter returns.") { seconds, seed };
        soak.SetAction(parsed => Soak.Run(parsed.GetValue(seconds), parsed.GetValue(seed)));

        Option<int> rounds = new("--rounds") { Description = "How often a client is stopped.", DefaultValueFactory = _ => 30 };
        Command slow = new("slow", "A client of Signer with 1 % of a CPU and one that is stopped; the others go on.") { rounds, seed };
        slow.SetAction(parsed => Delay.Slow(parsed.GetValue(rounds), parsed.GetValue(seed)));
        Command upcall = new("upcall", "64 callers, one of them in an upcall that takes 10 s; the others go on. Needs a machine with tests/Probe/probe.json.");
        upcall.SetAction(_ => Delay.Upcall());
        Command delay = new("delay", "Nobody is delayed by a client that gets nowhere.") { slow, upcall };

        Argument<string[]> words = new("COMMAND") { Arity = ArgumentArity.OneOrMore };
        Command traps = new("traps", "Runs COMMAND and counts the exceptions that the monitor took meanwhile.") { words };
        traps.SetAction(parsed => Traps.Run(parsed.GetValue(words)!));

        return new RootCommand("Tests and measurements on the machine's Linux.") { hello, worker, kill, concurrency, malformed, tightbeam, invoke, crash, panic, panicking, donate, stats, resources, memory, bench, probe, growth, latency, delay, soak, traps, parallel, conclave };
    }

    private static int Invoke(string service, uint operation)
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(new ServiceName(Guid.Parse(service), "the service"));
        TeeResult result = session.TryInvoke(operation, []);
        Console.Out.WriteLine($"invoke: {result}");
        return result.Succeeded ? 0 : CommandLineProgram.ExitRefused;
    }
}
