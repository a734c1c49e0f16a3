using System;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.Client;
using Exclaves.Tightbeam;

namespace Exclaves.Guest;

/// <summary>Calls that are wrong in one way each. Linux's driver or the secure world must refuse with the code that fits.</summary>
internal static class Malformed
{
    private const int Invalid = Libc.ErrorInvalid;

    /// <summary>What came back: errno of the kernel, or else the result code of the secure world.</summary>
    private readonly record struct Outcome(int Errno, uint Code)
    {
        public static Outcome Kernel(int errno) => new(errno, 0);

        public static Outcome Secure(uint code) => new(0, code);

        public override string ToString() => Errno != 0 ? $"errno {Errno}" : $"0x{Code:x8}";
    }

    private sealed record Case(string Name, Func<Prepared, Outcome> Run, params Outcome[] Expected);

    /// <summary>What every case finds prepared.</summary>
    private sealed record Prepared(TeeDevice Device, TeeSession Hello, TeeSession Signer, SharedMemory Memory);

    private static Case[] Cases =>
    [
        // name                             what is done                                                                  what must come back (either of)
        new("unknown service", b => Open(b, Guid.Parse("00000000-1111-2222-3333-444444444444"), 0), Outcome.Secure(Tee.ErrorItemNotFound)),
        new("nil service", b => Open(b, Guid.Empty, 0), Outcome.Secure(Tee.ErrorItemNotFound)),
        new("open with five parameters", b => Open(b, ServiceName.Hello.Uuid, 5), Outcome.Kernel(Invalid), Outcome.Secure(Tee.ErrorBadParameters)),
        new("kernel's own login from a process", b => Open(b, ServiceName.Hello.Uuid, 0, login: 0x8000_0000), Outcome.Kernel(Libc.ErrorNotPermitted)),
        new("unknown operation", b => Call(b.Hello, 0xFFFF), Outcome.Secure(Tee.ErrorNotSupported), Outcome.Secure(Tee.ErrorNotImplemented), Outcome.Secure(Tee.ErrorBadParameters)),
        new("unknown operation of Signer", b => Call(b.Signer, 0xFFFF), Outcome.Secure(Tee.ErrorNotSupported), Outcome.Secure(Tee.ErrorNotImplemented), Outcome.Secure(Tee.ErrorBadParameters)),
        new("six parameters", b => Call(b.Hello, 0, new TeeParameter[6]), Outcome.Secure(Tee.ErrorBadParameters), Outcome.Secure(Tee.Success)),
        new("session that was never opened", b => Number(b, 0x7FFF_FFFF), Outcome.Kernel(Invalid)),
        new("session zero", b => Number(b, 0), Outcome.Kernel(Invalid)),
        new("more parameters than the request holds", b => Counts(b, claimed: 4, sent: 1), Outcome.Kernel(Invalid)),
        new("fewer parameters than the request holds", b => Counts(b, claimed: 1, sent: 4), Outcome.Kernel(Invalid)),
        new("parameter count 2^32-1", b => Counts(b, claimed: uint.MaxValue, sent: 4), Outcome.Kernel(Invalid)),
        new("unknown parameter kind", b => Call(b.Hello, (uint)HelloOperation.Echo, TeeParameter.Raw(4, 0, 0, 0)), Outcome.Kernel(Invalid)),
        new("parameter kind with high bits", b => Call(b.Hello, (uint)HelloOperation.Echo, TeeParameter.Raw(1UL << 63, 0, 0, 0)), Outcome.Kernel(Invalid)),
        new("shared memory nobody has", b => Call(b.Hello, (uint)HelloOperation.Transform, TeeParameter.Raw(5, 0, 64, 9999), Buffer(b, TeeDirection.Out, 64)), Outcome.Kernel(Invalid)),
        new("negative shared memory number", b => Call(b.Hello, (uint)HelloOperation.Transform, TeeParameter.Raw(5, 0, 64, 0x8000_0000), Buffer(b, TeeDirection.Out, 64)), Outcome.Kernel(Invalid)),
        new("buffer past its memory", b => Call(b.Hello, (uint)HelloOperation.Transform, TeeParameter.Raw(5, 8192 - 32, 64, Id(b)), Buffer(b, TeeDirection.Out, 64)), Outcome.Kernel(Invalid)),
        new("buffer whose end wraps", b => Call(b.Hello, (uint)HelloOperation.Transform, TeeParameter.Raw(5, 64, ulong.MaxValue - 32, Id(b)), Buffer(b, TeeDirection.Out, 64)), Outcome.Kernel(Invalid)),
        new("values where buffers belong", b => Call(b.Hello, (uint)HelloOperation.Transform, TeeParameter.Input(1), TeeParameter.Output()), Outcome.Secure(Tee.ErrorBadParameters)),
        new("buffers where values belong", b => Call(b.Hello, (uint)HelloOperation.Echo, Buffer(b, TeeDirection.In, 64), Buffer(b, TeeDirection.Out, 64)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("directions exchanged", b => Call(b.Hello, (uint)HelloOperation.Transform, Buffer(b, TeeDirection.Out, 64), Buffer(b, TeeDirection.In, 64)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("no parameters for Transform", b => Call(b.Hello, (uint)HelloOperation.Transform), Outcome.Secure(Tee.ErrorBadParameters)),
        new("input too short", b => Call(b.Hello, (uint)HelloOperation.Transform, Buffer(b, TeeDirection.In, 63), Buffer(b, TeeDirection.Out, 64)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("input empty", b => Call(b.Hello, (uint)HelloOperation.Transform, Buffer(b, TeeDirection.In, 0), Buffer(b, TeeDirection.Out, 64)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("input larger than a message", b => Call(b.Hello, (uint)HelloOperation.Transform, Buffer(b, TeeDirection.In, 8192), Buffer(b, TeeDirection.Out, 64)), Outcome.Secure(Tee.ErrorBadParameters), Outcome.Secure(Tee.ErrorOutOfMemory)),
        new("output too small", b => Call(b.Hello, (uint)HelloOperation.Transform, Buffer(b, TeeDirection.In, 64), Buffer(b, TeeDirection.Out, 10)), Outcome.Secure(Tee.ErrorShortBuffer)),
        new("null input", b => Call(b.Hello, (uint)HelloOperation.Transform, TeeParameter.NullMemory(TeeDirection.In, 64), Buffer(b, TeeDirection.Out, 64)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("null output", b => Call(b.Hello, (uint)HelloOperation.Transform, Buffer(b, TeeDirection.In, 64), TeeParameter.NullMemory(TeeDirection.Out)), Outcome.Secure(Tee.ErrorShortBuffer), Outcome.Secure(Tee.ErrorBadParameters)),
        new("null output that claims a size", b => Call(b.Hello, (uint)HelloOperation.Transform, Buffer(b, TeeDirection.In, 64), TeeParameter.NullMemory(TeeDirection.Out, 64)), Outcome.Secure(Tee.ErrorShortBuffer), Outcome.Secure(Tee.ErrorBadParameters)),
        new("Tightbeam request that is none", b => Beam(b, 64, Status.BadArgument), Outcome.Secure(Tee.Success)),
        new("Tightbeam request shorter than its head", b => Beam(b, 23, Status.BadArgument), Outcome.Secure(Tee.Success)),
        new("Tightbeam request of no bytes", b => Beam(b, 0, Status.BadArgument), Outcome.Secure(Tee.Success)),
        new("Tightbeam answer that does not fit", b => Call(b.Signer, WireHeader.TeeOperation, Buffer(b, TeeDirection.In, 64), Buffer(b, TeeDirection.Out, 1)), Outcome.Secure(Tee.ErrorShortBuffer)),
        new("Tightbeam answer into a null buffer", b => Call(b.Signer, WireHeader.TeeOperation, Buffer(b, TeeDirection.In, 64), TeeParameter.NullMemory(TeeDirection.Out)), Outcome.Secure(Tee.ErrorShortBuffer)),
        new("Tightbeam buffers exchanged", b => Call(b.Signer, WireHeader.TeeOperation, Buffer(b, TeeDirection.Out, 64), Buffer(b, TeeDirection.In, 64)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("Tightbeam request of Hello in values", b => Call(b.Hello, WireHeader.TeeOperation, TeeParameter.Input(1), TeeParameter.Output()), Outcome.Secure(Tee.ErrorBadParameters)),
        new("Tightbeam request of Hello, second buffer alone", b => Call(b.Hello, WireHeader.TeeOperation, Buffer(b, TeeDirection.In, 64), Buffer(b, TeeDirection.Out, 512), TeeParameter.None, Buffer(b, TeeDirection.In, 8)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("component number 2^64-1", b => Statistics(b, (uint)StatisticsOperation.Component, TeeParameter.Input(ulong.MaxValue), Buffer(b, TeeDirection.Out, 512)), Outcome.Secure(Tee.ErrorItemNotFound)),
        new("counters into four bytes", b => Statistics(b, (uint)StatisticsOperation.Counters, Buffer(b, TeeDirection.Out, 4)), Outcome.Secure(Tee.ErrorShortBuffer)),
        new("resource number 2^64-1", b => Statistics(b, (uint)StatisticsOperation.Resource, TeeParameter.Input(ulong.MaxValue), Buffer(b, TeeDirection.Out, 512)), Outcome.Secure(Tee.ErrorItemNotFound)),
        new("a resource into four bytes", b => Statistics(b, (uint)StatisticsOperation.Resource, TeeParameter.Input(0), Buffer(b, TeeDirection.Out, 4)), Outcome.Secure(Tee.ErrorShortBuffer)),
        new("memory without a buffer", b => Statistics(b, (uint)StatisticsOperation.Memory, TeeParameter.Input(0)), Outcome.Secure(Tee.ErrorBadParameters)),
        new("a version that is no number", b => Statistics(b, (uint)StatisticsOperation.Version, TeeParameter.Output(), TeeParameter.Output()), Outcome.Secure(Tee.ErrorBadParameters)),
        new("session used after its end", Closed, Outcome.Kernel(Invalid)),
    ];

    public static int Run(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession hello = device.OpenSession(ServiceName.Hello);
        using TeeSession signer = device.OpenSession(ServiceName.Signer);
        using SharedMemory memory = SharedMemory.Register(device, 8192);
        Prepared ready = new(device, hello, signer, memory);

        int bad = 0;
        Case[] cases = Cases;
        foreach (Case one in cases)
        {
            Outcome outcome = one.Run(ready);
            bool alive = Echo(hello);
            bool ok = one.Expected.Contains(outcome) && alive;
            bad += ok ? 0 : 1;
            string expected = string.Join(" or ", one.Expected);
            Console.Out.WriteLine(json
                ? $"{{\"name\":\"{one.Name}\",\"outcome\":\"{outcome}\",\"expected\":\"{expected}\",\"alive\":{(alive ? "true" : "false")},\"ok\":{(ok ? "true" : "false")}}}"
                : $"{(ok ? "ok  " : "FAIL")} {one.Name,-42} {outcome,-12} expected {expected}{(alive ? "" : "; Hello no longer answers")}");
        }

        if (!json)
        {
            Console.Out.WriteLine($"malformed: {cases.Length} calls, {bad} not refused as they must be");
        }

        return bad == 0 ? 0 : 1;
    }

    private static bool Echo(TeeSession hello)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input(0x1234, 0x5678), TeeParameter.Output()];
        return hello.TryInvoke((uint)HelloOperation.Echo, parameters).Succeeded && parameters[1].A == 0x1234 && parameters[1].B == 0x5678;
    }

    private static ulong Id(Prepared ready) => (ulong)ready.Memory.Id;

    private static TeeParameter Buffer(Prepared ready, TeeDirection direction, int bytes) =>
        TeeParameter.Memory(ready.Memory, direction, 0, bytes);

    private static Outcome Open(Prepared ready, Guid service, uint count, uint login = 0)
    {
        OpenSessionBlock block = new() { ParameterCount = count, Login = login };
        _ = service.TryWriteBytes(block.Service, bigEndian: true, out _);
        return TeeIoctl.OpenSession(ready.Device.Descriptor, ref block) < 0
            ? Outcome.Kernel(Marshal.GetLastPInvokeError())
            : Outcome.Secure(block.Result);
    }

    private static Outcome Call(TeeSession session, uint operation, params TeeParameter[] parameters)
    {
        InvokeBlock block = new() { Session = session.Number, Operation = operation, ParameterCount = (uint)parameters.Length };
        parameters.CopyTo(block.Parameters);
        return Send(session.Device, ref block);
    }

    /// <summary>Random bytes as a request: Signer answers, and what it answers is <paramref name="expected"/>.</summary>
    private static Outcome Beam(Prepared ready, int bytes, Status expected)
    {
        const int Answer = 4096;
        new Random(bytes).NextBytes(ready.Memory.Span[..bytes]);
        ready.Memory.Span.Slice(Answer, 512).Clear();
        Outcome outcome = Call(ready.Signer, WireHeader.TeeOperation, Buffer(ready, TeeDirection.In, bytes), TeeParameter.Memory(ready.Memory, TeeDirection.Out, Answer, 512));
        Span<byte> answer = ready.Memory.Span.Slice(Answer, 512);
        return MemoryMarshal.Read<uint>(answer) == WireHeader.ResponseMagic && (Status)MemoryMarshal.Read<uint>(answer[16..]) == expected ? outcome : Outcome.Secure(uint.MaxValue);
    }

    private static Outcome Number(Prepared ready, uint session)
    {
        InvokeBlock block = new() { Session = session };
        return Send(ready.Device, ref block);
    }

    private static Outcome Counts(Prepared ready, uint claimed, uint sent)
    {
        InvokeBlock block = new() { Session = ready.Hello.Number, ParameterCount = claimed };
        return TeeIoctl.InvokeOfSize(ready.Device.Descriptor, ref block, sent) < 0
            ? Outcome.Kernel(Marshal.GetLastPInvokeError())
            : Outcome.Secure(block.Result);
    }

    private static Outcome Statistics(Prepared ready, uint operation, params TeeParameter[] parameters)
    {
        using TeeSession session = ready.Device.OpenSession(ServiceName.Statistics);
        return Call(session, operation, parameters);
    }

    private static Outcome Closed(Prepared ready)
    {
        TeeSession session = ready.Device.OpenSession(ServiceName.Hello);
        uint number = session.Number;
        session.Dispose();
        return Number(ready, number);
    }

    private static Outcome Send(TeeDevice device, ref InvokeBlock block) =>
        TeeIoctl.Invoke(device.Descriptor, ref block) < 0
            ? Outcome.Kernel(Marshal.GetLastPInvokeError())
            : Outcome.Secure(block.Result);
}
