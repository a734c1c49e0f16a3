using System;
using System.Collections.Generic;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>A service object behind its dispatcher: no exception of it gets past this, each becomes an answer.</summary>
/// <remarks>One call at a time: the transport's loop is the caller.</remarks>
public sealed class GuardedService<TService, TDispatcher> : IServedService
    where TDispatcher : struct, IDispatcher<TService>
{
    private readonly ServiceText _text;
    private readonly Action<Exception>? _report;
    private TService _service;

    /// <param name="report">Told of exceptions that no service meant to throw.</param>
    public GuardedService(TService service, ServiceText text = ServiceText.Redacted, Action<Exception>? report = null)
    {
        _service = service;
        _text = text;
        _report = report;
    }

    public int Serve(scoped ReadOnlySpan<byte> request, scoped Span<byte> response, scoped ref Attachments attachments)
    {
        try
        {
            return TDispatcher.Dispatch(ref _service, request, response, ref attachments);
        }
        catch (Exception exception)
        {
            if (exception is not TightbeamException)
            {
                _report?.Invoke(exception);
            }

            return Answer(exception, request, response);
        }
    }

    public void Dispose() => (_service as IDisposable)?.Dispose();

    private int Answer(Exception exception, scoped ReadOnlySpan<byte> request, scoped Span<byte> response)
    {
        // The request was sound, or no service would have been called.
        _ = WireHeader.DecodeRequest(request, TDispatcher.InterfaceId, out WireHeader header);
        Span<byte> text = stackalloc byte[WireHeader.MaxTextBytes];
        int length = _text == ServiceText.Shown ? Encode(exception.Message, text) : 0;
        (Status status, uint error) = exception is TightbeamException refusal ? (refusal.Status, refusal.Error) : (StatusOf(exception), 0);
        return WireHeader.EncodeFailure(response, TDispatcher.InterfaceId, TDispatcher.Version, header.Operation, status, error, text[..length]);
    }

    /// <summary>As many whole characters as fit.</summary>
    private static int Encode(string message, Span<byte> text)
    {
        Encoding.UTF8.GetEncoder().Convert(message, text, flush: true, out _, out int bytes, out _);
        return bytes;
    }

    private static Status StatusOf(Exception exception) => exception switch
    {
        OutOfMemoryException => Status.NoMemory,
        UnauthorizedAccessException => Status.Denied,
        KeyNotFoundException => Status.NotFound,
        ArgumentException => Status.BadArgument,
        NotSupportedException or NotImplementedException => Status.BadCall,
        ObjectDisposedException => Status.BadState,
        InvalidOperationException => Status.BadState,
        TimeoutException => Status.TimedOut,
        OperationCanceledException => Status.Cancelled,
        _ => Status.Failed,
    };
}
