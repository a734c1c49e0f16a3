using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CsCheck;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Kit;
using Exclaves.Signer;
using Exclaves.Tightbeam;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>The loop of a .NET conclave, and Signer in it.</summary>
public class ServiceHostTests
{
    private const int Room = 512;
    private static readonly int Fixed = Unsafe.SizeOf<ServiceMessage>();

    private sealed class Port : IMessagePort
    {
        public byte[] Next = [];
        public byte[] Answer = [];

        public int Receive(Span<byte> message)
        {
            Next.CopyTo(message);
            return Next.Length;
        }

        public int ReplyReceive(Span<byte> message)
        {
            int bytes = MessageHeader.Bytes + (int)MemoryMarshal.Read<MessageHeader>(message).Length;
            Answer = message[..bytes].ToArray();
            return 0;
        }
    }

    private sealed class Throwing(Func<Exception> make) : ConclaveService
    {
        public int Reported;

        public override void Invoke(ServiceCall call) => throw make();

        public override void Report(Exception exception) => Reported++;
    }

    /// <summary>A call with up to two buffers: inputs carry bytes, outputs have room.</summary>
    private static byte[] Encode(MessageLabel label, uint session, uint operation, params (ParameterKind Kind, byte[] Bytes)[] parameters)
    {
        byte[] message = new byte[MessageHeader.Bytes + Fixed + (parameters.Length * Room)];
        MessageHeader header = new() { Label = label, Length = (uint)(message.Length - MessageHeader.Bytes), Badge = ComponentEntry.ProxyBadge };
        MemoryMarshal.Write(message, in header);
        ServiceMessage body = new() { Session = session, Operation = operation };
        Span<ServiceParameter> all = MemoryMarshal.CreateSpan(ref body.P0, ServiceMessage.MaxParameters);
        for (int i = 0; i < parameters.Length; i++)
        {
            int offset = Fixed + (i * Room);
            all[i] = new ServiceParameter { Kind = parameters[i].Kind, Offset = (uint)offset, A = (ulong)parameters[i].Bytes.Length, B = Room };
            parameters[i].Bytes.CopyTo(message, MessageHeader.Bytes + offset);
        }

        MemoryMarshal.Write(message.AsSpan(MessageHeader.Bytes), in body);
        return message;
    }

    private static (uint Result, byte[] Output) Invoke(ConclaveService service, byte[] message, int output = 0)
    {
        Port port = new() { Next = message };
        ServiceHost host = new(service, port);
        host.Next(host.Start());
        MessageHeader header = MemoryMarshal.Read<MessageHeader>(port.Answer);
        Assert.Equal(MessageLabel.Reply, header.Label);
        ServiceMessage body = MemoryMarshal.Read<ServiceMessage>(port.Answer.AsSpan(MessageHeader.Bytes));
        ServiceParameter parameter = MemoryMarshal.CreateSpan(ref body.P0, ServiceMessage.MaxParameters)[output];
        bool isOutput = parameter.Kind is ParameterKind.BufferOut && body.Result == Tee.Success;
        return (body.Result, isOutput ? port.Answer.AsSpan(MessageHeader.Bytes + (int)parameter.Offset, (int)parameter.A).ToArray() : []);
    }

    private static (ParameterKind, byte[]) Out(int bytes = Room) => (ParameterKind.BufferOut, new byte[bytes]);

    private static (ParameterKind, byte[]) In(byte[] bytes) => (ParameterKind.BufferIn, bytes);

    /// <summary>Carries Tightbeam calls of one session through the conclave's loop.</summary>
    private sealed class Wire(ConclaveService service, uint session) : ITransport
    {
        private readonly byte[] _request = new byte[Room];
        private byte[] _response = [];

        public uint Result { get; private set; }

        public Span<byte> Request => _request;

        public ReadOnlySpan<byte> Response => _response;

        public Status Call(int requestBytes, scoped ref Attachments attachments)
        {
            (Result, _response) = Invoke(service, Encode(MessageLabel.Invoke, session, WireHeader.TeeOperation, In(_request[..requestBytes]), Out()), output: 1);
            return Result == Tee.Success ? Status.Ok : Status.Failed;
        }
    }

    /// <summary>What a component with that badge sends.</summary>
    private static (Status Status, byte[] Body) Say(ConclaveService service, ulong badge, MessageLabel label, byte[] body)
    {
        byte[] message = new byte[MessageHeader.Bytes + body.Length];
        MessageHeader header = new() { Label = label, Length = (uint)body.Length, Badge = badge };
        MemoryMarshal.Write(message, in header);
        body.CopyTo(message, MessageHeader.Bytes);
        Port port = new() { Next = message };
        ServiceHost host = new(service, port);
        host.Next(host.Start());
        header = MemoryMarshal.Read<MessageHeader>(port.Answer);
        Assert.Equal(MessageLabel.Reply, header.Label);
        return (header.Status, port.Answer[MessageHeader.Bytes..]);
    }

    /// <summary>Carries Tightbeam calls of another component.</summary>
    private sealed class Peer(ConclaveService service, ulong badge) : ITransport
    {
        private readonly byte[] _request = new byte[Room];
        private byte[] _response = [];

        public Span<byte> Request => _request;

        public ReadOnlySpan<byte> Response => _response;

        public Status Call(int requestBytes, scoped ref Attachments attachments)
        {
            (Status status, _response) = Say(service, badge, MessageLabel.Peer, _request[..requestBytes]);
            return status;
        }
    }

    /// <summary>Each has an object of its own, beside those of Linux's clients.</summary>
    [Fact]
    public void OtherComponentsAreToldApartByTheirBadge()
    {
        using SignerHolder signer = new();
        byte[] digest = SHA256.HashData("message"u8);
        byte[] key = new byte[128];
        byte[] signature = new byte[72];
        SignerClient<Peer> one = new(new Peer(signer.Service, 3));
        SignerClient<Peer> again = new(new Peer(signer.Service, 3));
        SignerClient<Peer> other = new(new Peer(signer.Service, 4));
        SignerClient<Wire> linux = Open(signer.Service, 3);
        Assert.Equal(Status.Ok, one.Generate(key, out _));
        Assert.Equal(Status.Ok, again.Sign(digest, signature, out _));
        Assert.NotEqual(Status.Ok, other.Sign(digest, signature, out _));
        Assert.NotEqual(Status.Ok, linux.Sign(digest, signature, out _));
    }

    /// <summary>A component that may call a service does not thereby speak for Linux's clients: sessions and lent pages are XnuProxy's to name.</summary>
    [Theory]
    [InlineData(MessageLabel.Open)]
    [InlineData(MessageLabel.Invoke)]
    [InlineData(MessageLabel.Close)]
    [InlineData(MessageLabel.None)]
    [InlineData((MessageLabel)999)]
    public void OnlyXnuProxySpeaksForLinux(MessageLabel label)
    {
        Throwing service = new(() => new InvalidOperationException());
        byte[] body = Encode(label, 1, 0)[MessageHeader.Bytes..];
        Assert.Equal(Status.BadCall, Say(service, 3, label, body).Status);
        Assert.Equal(Status.BadCall, Say(service, 3, MessageLabel.Peer, body).Status);
        Assert.Equal(0, service.Reported);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    public void WhatAPeerSendsIsCheckedLikeAnyRequest(int bytes)
    {
        using SignerHolder signer = new();
        byte[] body = new byte[bytes];
        new Random(bytes).NextBytes(body);
        (Status status, byte[] answer) = Say(signer.Service, 3, MessageLabel.Peer, body);
        Assert.Equal(Status.Ok, status);
        Assert.NotEmpty(answer);
    }

    /// <summary>Linux passes a buffer that is only read where the answer should go: SK shows it read-only, so nobody may write there.</summary>
    [Fact]
    public void AnAnswerThatIsLentToBeReadIsRefusedUntouched()
    {
        using SignerHolder signer = new();
        _ = Open(signer.Service, 1);
        byte[] message = Encode(MessageLabel.Invoke, 1, WireHeader.TeeOperation, (ParameterKind.LentIn, new byte[64]), (ParameterKind.LentIn, new byte[64]));
        ref MessageHeader header = ref MemoryMarshal.AsRef<MessageHeader>(message.AsSpan());
        header.Word0 = LentRange.Create(UserLayout.LentBase, 1, false).Value;
        header.Word1 = header.Word0;
        Assert.Equal(Tee.ErrorBadParameters, Invoke(signer.Service, message).Result);
    }

    private static SignerClient<Wire> Open(SignerService service, uint session)
    {
        Assert.Equal(Tee.Success, Invoke(service, Encode(MessageLabel.Open, session, 0)).Result);
        return new SignerClient<Wire>(new Wire(service, session));
    }

    [Fact]
    public void SignerSignsWithAKeyOfTheSession()
    {
        using SignerHolder signer = new();
        SignerClient<Wire> client = Open(signer.Service, 1);
        byte[] digest = SHA256.HashData("message"u8);
        byte[] key = new byte[128];
        byte[] again = new byte[128];
        byte[] signature = new byte[72];
        Assert.Equal(Status.Ok, client.Generate(key, out int keyBytes));
        Assert.Equal(Status.Ok, client.PublicKey(again, out int againBytes));
        Assert.Equal(key[..keyBytes], again[..againBytes]);

        Assert.Equal(Status.Ok, client.Sign(digest, signature, out int bytes));
        using ECDsa verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(key, out _);
        Assert.True(verifier.VerifyHash(digest, signature.AsSpan(0, bytes), DSASignatureFormat.Rfc3279DerSequence));

        // Another session has no key; after the close, there is no session, and the next one of this number has no key.
        Assert.Equal(Status.NotFound, Open(signer.Service, 2).Sign(digest, signature, out _));
        Assert.Equal(Tee.Success, Invoke(signer.Service, Encode(MessageLabel.Close, 1, 0)).Result);
        Assert.Equal(Status.Failed, client.PublicKey(key, out _));
        Assert.Equal(Status.NotFound, Open(signer.Service, 1).PublicKey(key, out _));
    }

    [Fact]
    public void SignerRefusesWhatItDoesNotUnderstand()
    {
        using SignerHolder signer = new();
        SignerClient<Wire> client = Open(signer.Service, 1);
        byte[] request = [1, 2, 3];
        Assert.Equal(Tee.Success, Invoke(signer.Service, Encode(MessageLabel.Invoke, 1, (uint)SignerOperation.Null)).Result);
        Assert.Equal(Tee.ErrorNotSupported, Invoke(signer.Service, Encode(MessageLabel.Invoke, 1, 99)).Result);
        Assert.Equal(Tee.ErrorBadState, Invoke(signer.Service, Encode(MessageLabel.Invoke, 7, WireHeader.TeeOperation, In(request), Out())).Result);
        Assert.Equal(Tee.ErrorBadParameters, Invoke(signer.Service, Encode(MessageLabel.Invoke, 1, WireHeader.TeeOperation)).Result);
        Assert.Equal(Tee.ErrorBadParameters, Invoke(signer.Service, Encode(MessageLabel.Invoke, 1, WireHeader.TeeOperation, Out(), In(request))).Result);
        Assert.Equal(Tee.ErrorShortBuffer, Invoke(signer.Service, Encode(MessageLabel.Invoke, 1, WireHeader.TeeOperation, In(request), Out(10))).Result);
        (uint result, byte[] answer) = Invoke(signer.Service, Encode(MessageLabel.Invoke, 1, WireHeader.TeeOperation, In(request), Out()), output: 1);
        Assert.Equal((Tee.Success, (uint)Status.BadArgument), (result, MemoryMarshal.Read<uint>(answer.AsSpan(16))));

        Assert.Equal(Status.NotFound, client.PublicKey(new byte[128], out _));
        Assert.Equal(Status.TooBig, client.Generate(new byte[10], out _));
        Assert.Equal(Status.NotFound, client.PublicKey(new byte[128], out _));
        Assert.Equal(Status.Ok, client.Generate(new byte[128], out _));
        Assert.Equal(Status.BadArgument, client.Sign(new byte[31], new byte[72], out _));
        Assert.Equal(Status.TooBig, client.Sign(new byte[33], new byte[72], out _));
        Assert.Equal(Status.TooBig, client.Sign(new byte[32], new byte[8], out _));
    }

    [Fact]
    public void SignerHoldsALimitedNumberOfKeys()
    {
        using SignerHolder signer = new();
        for (uint i = 0; i < SignerService.MaxKeys; i++)
        {
            Assert.Equal(Status.Ok, Open(signer.Service, i).Generate(new byte[128], out _));
        }

        SignerClient<Wire> late = Open(signer.Service, 1000);
        Assert.Equal(Status.NoMemory, late.Generate(new byte[128], out _));
        Assert.Equal(Status.Ok, new SignerClient<Wire>(new Wire(signer.Service, 0)).Generate(new byte[128], out _));

        // A key that was not given out, and one whose session ended, take no room.
        Assert.Equal(Status.TooBig, new SignerClient<Wire>(new Wire(signer.Service, 0)).Generate(new byte[8], out _));
        Assert.Equal(Tee.Success, Invoke(signer.Service, Encode(MessageLabel.Close, 0, 0)).Result);
        Assert.Equal(Status.TooBig, late.Generate(new byte[8], out _));
        Assert.Equal(Status.Ok, late.Generate(new byte[128], out _));
        Assert.Equal(Status.NoMemory, Open(signer.Service, 1001).Generate(new byte[128], out _));
    }

    public static TheoryData<Func<Exception>, uint> Exceptions => new()
    {
        { () => new ServiceException(Tee.ErrorAccessDenied), Tee.ErrorAccessDenied },
        { () => new ServiceException(Tee.Success), Tee.ErrorGeneric },
        { () => new OutOfMemoryException(), Tee.ErrorOutOfMemory },
        { () => new NullReferenceException(), Tee.ErrorGeneric },
        { () => new ArgumentException("x"), Tee.ErrorBadParameters },
        { () => new CryptographicException(), Tee.ErrorGeneric },
    };

    [Theory]
    [MemberData(nameof(Exceptions))]
    public void AnExceptionIsAResultNotAnEnd(Func<Exception> make, uint expected)
    {
        Throwing service = new(make);
        Assert.Equal(expected, Invoke(service, Encode(MessageLabel.Invoke, 1, 1)).Result);
        Assert.Equal(make() is ServiceException ? 0 : 1, service.Reported);
    }

    [Fact]
    public void DamagedMessagesAreAnsweredAndNeverThrow() =>
        Gen.Select(Gen.Int[0, MessageHeader.Bytes + Fixed - 1], Gen.Byte).List[0, 12].Sample(damage =>
        {
            using SignerHolder signer = new();
            _ = Open(signer.Service, 1);
            byte[] message = Encode(MessageLabel.Invoke, 1, WireHeader.TeeOperation, In(new byte[32]), Out());
            foreach ((int at, byte value) in damage) { message[at] = value; }

            Port port = new() { Next = message };
            ServiceHost host = new(signer.Service, port);
            host.Next(host.Start());
            MessageHeader header = MemoryMarshal.Read<MessageHeader>(port.Answer);
            Assert.Equal(MessageLabel.Reply, header.Label);
            bool fromLinux = MemoryMarshal.Read<MessageHeader>(message).Badge == ComponentEntry.ProxyBadge;
            Assert.InRange((int)header.Length, fromLinux ? Fixed : 0, MessageHeader.MaxBodyBytes);
        });

    [Fact]
    public void ShortMessagesAreRefused()
    {
        foreach (int length in (IEnumerable<int>)[0, 1, Fixed - 1])
        {
            byte[] message = new byte[MessageHeader.Bytes + length];
            MessageHeader header = new() { Label = MessageLabel.Invoke, Length = (uint)length, Badge = ComponentEntry.ProxyBadge };
            MemoryMarshal.Write(message, in header);
            Assert.Equal(Tee.ErrorBadFormat, Invoke(new Throwing(() => new InvalidOperationException()), message).Result);
        }
    }

    private sealed class SignerHolder : IDisposable
    {
        public SignerService Service { get; } = new();

        public void Dispose()
        {
            for (uint i = 0; i < 2000; i++) { Service.Close(i); }
        }
    }
}
