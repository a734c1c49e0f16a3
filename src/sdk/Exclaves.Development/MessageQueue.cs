using System;
using System.Collections.Concurrent;

namespace Exclaves.Development;

/// <summary>The endpoint of a conclave that runs here: sessions put messages in, the conclave's threads take them out.</summary>
internal sealed class MessageQueue : IDisposable
{
    private readonly BlockingCollection<Exchange> _waiting = [];

    /// <summary>Sends a message and waits for its answer; false when the conclave has ended.</summary>
    public bool Send(Exchange exchange)
    {
        try
        {
            _waiting.Add(exchange);
        }
        catch (InvalidOperationException)
        {
            return false;
        }

        return exchange.Answered.Task.GetAwaiter().GetResult();
    }

    /// <exception cref="OperationCanceledException">There are no more messages and there will be none.</exception>
    public Exchange Take()
    {
        try
        {
            return _waiting.Take();
        }
        catch (InvalidOperationException)
        {
            throw new OperationCanceledException("The conclave is ended.");
        }
    }

    /// <summary>What waits is still served; then the loop ends.</summary>
    public void Complete() => _waiting.CompleteAdding();

    /// <summary>After the loop: whoever still waits learns that nothing comes.</summary>
    public void Abandon()
    {
        _waiting.CompleteAdding();
        while (_waiting.TryTake(out Exchange? exchange))
        {
            exchange.Answered.TrySetResult(false);
        }
    }

    public void Dispose() => _waiting.Dispose();
}
