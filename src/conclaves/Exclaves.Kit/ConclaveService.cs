using System;
using Exclaves.Abi;

namespace Exclaves.Kit;

/// <summary>What a conclave offers. One call at a time, all on the main thread, unless <see cref="ServiceHost.Run"/> is told of more.</summary>
public abstract class ConclaveService
{
    /// <summary>A client opens session <see cref="ServiceCall.Session"/>; throw <see cref="ServiceException"/> to refuse it.</summary>
    public virtual void Open(ServiceCall call)
    {
    }

    /// <summary>A client calls <see cref="ServiceCall.Operation"/>.</summary>
    public abstract void Invoke(ServiceCall call);

    /// <summary>The session is over, by the client's will or because the client is gone.</summary>
    public virtual void Close(uint session)
    {
    }

    /// <summary>Another component calls, by the right that the system description grants it.</summary>
    /// <param name="badge">Which one: the badge of that grant.</param>
    /// <returns>Bytes of <paramref name="response"/> that are the answer; 0 refuses.</returns>
    public virtual int InvokePeer(ulong badge, ReadOnlySpan<byte> request, Span<byte> response) => 0;

    /// <summary>Tells the operator of an exception that no service meant to throw.</summary>
    public virtual void Report(Exception exception)
    {
        // What a conclave does not have often shows in a static constructor, whose own exception says nothing.
        Exception cause = exception.GetBaseException();
        LogMessage message = new LogMessage().Public($"call failed: {exception.GetType()}: ").Private(exception.Message);
        if (cause != exception)
        {
            message.Public($" ({cause.GetType()}: ").Private(cause.Message).Public(")");
        }

        ConclaveLog.Write(LogSeverity.Error, message);
    }

    /// <summary>The result for an exception that is not a <see cref="ServiceException"/>.</summary>
    public virtual uint ResultFor(Exception exception) => exception switch
    {
        OutOfMemoryException => Tee.ErrorOutOfMemory,
        ArgumentException => Tee.ErrorBadParameters,
        NotSupportedException => Tee.ErrorNotSupported,
        _ => Tee.ErrorGeneric,
    };
}
