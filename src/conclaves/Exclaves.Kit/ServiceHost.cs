using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;

namespace Exclaves.Kit;

/// <summary>The loop of a conclave: receive, check, serve, answer.</summary>
public sealed class ServiceHost
{
    private readonly ConclaveService _service;
    private readonly IMessagePort _port;
    private readonly byte[] _message = GC.AllocateArray<byte>(MessageHeader.Bytes + MessageHeader.MaxBodyBytes, pinned: true);
    private readonly ServiceCall _call;
    private readonly byte[] _peerAnswer = new byte[MessageHeader.MaxBodyBytes];

    public ServiceHost(ConclaveService service, IMessagePort port)
    {
        _service = service;
        _port = port;
        _call = new ServiceCall(_message);
    }

    /// <summary>Serves in place of <see cref="Run"/> where there is no ExclaveKit: builds for the build machine set it (Exclaves.Sdk), images never.</summary>
    public static Action<ConclaveService, int>? Development { get; set; }

    /// <summary>Serves until the conclave is ended from outside.</summary>
    /// <param name="threads">Calls that are served at once; with more than one the service has to be safe for that.</param>
    public static void Run(ConclaveService service, int threads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        if (Development is { } serve)
        {
            serve(service, threads);
            return;
        }

        for (int i = 1; i < threads; i++)
        {
            new Thread(() => Serve(service)) { IsBackground = true }.Start();
        }

        Serve(service);
    }

    private static void Serve(ConclaveService service)
    {
        ServiceHost host = new(service, new ConclavePort());
        for (int bytes = host.Start(); ; bytes = host.Next(bytes)) { }
    }

    /// <summary>Waits for the first message; answers its bytes.</summary>
    public int Start() => _port.Receive(_message);

    /// <summary>Serves the message of <paramref name="bytes"/> in the buffer, answers it and waits for the next.</summary>
    public int Next(int bytes)
    {
        if (ServiceCall.Header(_message).Badge != ComponentEntry.ProxyBadge)
        {
            ServePeer(bytes - MessageHeader.Bytes);
        }
        else if (_call.TryBegin(bytes))
        {
            _call.Finish(Serve());
        }
        else
        {
            Refuse();
        }

        return _port.ReplyReceive(_message);
    }

    /// <summary>Only XnuProxy brings what Linux's clients want; what another component says, it says for itself.</summary>
    private void ServePeer(int requestBytes)
    {
        ref MessageHeader header = ref ServiceCall.Header(_message);
        int answered = 0;
        Status status = Status.BadCall;
        try
        {
            if (header.Label == MessageLabel.Peer)
            {
                // Nobody gets what another one was answered.
                Array.Clear(_peerAnswer);
                answered = _service.InvokePeer(header.Badge, _message.AsSpan(MessageHeader.Bytes, requestBytes), _peerAnswer);
                _peerAnswer.AsSpan(0, answered).CopyTo(_message.AsSpan(MessageHeader.Bytes));
                status = answered != 0 ? Status.Ok : status;
            }
        }
        catch (Exception exception)
        {
            _service.Report(exception);
            answered = 0;
            status = Status.Failed;
        }

        header.Label = MessageLabel.Reply;
        header.Status = status;
        header.Length = (uint)answered;
    }

    private uint Serve()
    {
        // An error of one call must not end the conclave for all: everything becomes a result code (DESIGN I11 is for what cannot).
        try
        {
            switch (ServiceCall.Header(_message).Label)
            {
                case MessageLabel.Open:
                    _service.Open(_call);
                    return Tee.Success;
                case MessageLabel.Invoke:
                    _service.Invoke(_call);
                    return Tee.Success;
                case MessageLabel.Close:
                    _service.Close(_call.Session);
                    return Tee.Success;
                default:
                    return Tee.ErrorNotImplemented;
            }
        }
        catch (ServiceException exception)
        {
            return exception.Result;
        }
        catch (Exception exception)
        {
            _service.Report(exception);
            return _service.ResultFor(exception);
        }
    }

    /// <summary>Answers a message whose body cannot be read: the status says so, and an empty body keeps the answer well formed.</summary>
    private void Refuse()
    {
        _message.AsSpan(MessageHeader.Bytes, ServiceCall.FixedBytes).Clear();
        ref ServiceMessage body = ref Unsafe.As<byte, ServiceMessage>(ref _message[MessageHeader.Bytes]);
        body.Result = Tee.ErrorBadFormat;
        ref MessageHeader header = ref ServiceCall.Header(_message);
        header.Label = MessageLabel.Reply;
        header.Length = (uint)ServiceCall.FixedBytes;
        header.Status = Status.BadArgument;
    }
}
