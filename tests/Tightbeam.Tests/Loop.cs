using System;
using Exclaves.Abi;
using Exclaves.Tightbeam.Sample;

namespace Exclaves.Tightbeam.Tests;

/// <summary>Client and service in one process, with both messages in reach of the test.</summary>
internal sealed class Loop : ITransport
{
    private readonly byte[] _request = new byte[8192];
    private readonly byte[] _response = new byte[8192];
    private readonly IServedService _guarded;
    private int _answered;

    public Loop(ServiceText text = ServiceText.Shown)
    {
        _guarded = new GuardedService<ISample, SampleDispatcher<ISample>>(Service, text, Reported.Add);
        Client = new SampleClient<Loop>(this);
    }

    public SampleService Service { get; } = new();

    public System.Collections.Generic.List<Exception> Reported { get; } = [];

    public SampleClient<Loop> Client;

    /// <summary>What the client sent last.</summary>
    public byte[] Sent { get; private set; } = [];

    /// <summary>What the service answered last, before <see cref="Tamper"/>.</summary>
    public byte[] Answered { get; private set; } = [];

    /// <summary>Keeps messages, which allocates.</summary>
    public bool Record { get; set; }

    /// <summary>Changes the answer on its way.</summary>
    public Func<byte[], byte[]>? Tamper { get; set; }

    public Span<byte> Request => _request;

    public ReadOnlySpan<byte> Response => _response.AsSpan(0, _answered);

    public Status Call(int requestBytes, scoped ref Attachments attachments)
    {
        _answered = _guarded.Serve(_request.AsSpan(0, requestBytes), _response, ref attachments);
        if (Record || Tamper is not null)
        {
            Sent = _request.AsSpan(0, requestBytes).ToArray();
            Answered = Response.ToArray();
            if (Tamper is not null)
            {
                byte[] answer = Tamper(Answered);
                answer.CopyTo(_response, 0);
                _answered = answer.Length;
            }
        }

        return Status.Ok;
    }

    /// <summary>A request as it came, whoever wrote it.</summary>
    public byte[] Serve(ReadOnlySpan<byte> request)
    {
        Attachments attachments = default;
        int bytes = _guarded.Serve(request, _response, ref attachments);
        return _response.AsSpan(0, bytes).ToArray();
    }
}
