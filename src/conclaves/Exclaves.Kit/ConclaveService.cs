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

    /// <summary>Tells the operator of an exception that no service meant to throw.</summary>
    public virtual void Report(System.Exception exception)
    {
        // What a conclave does not have often shows in a static constructor, whose own exception says nothing.
        System.Exception cause = exception.GetBaseException();
        LogMessage message = new LogMessage().Public($"call failed: {exception.GetType()}: ").Private(exception.Message);
        if (cause != exception)
        {
            message.Public($" ({cause.GetType()}: ").Private(cause.Message).Public(")");
        }

        ConclaveLog.Write(Abi.LogLevel.Error, message);
    }

    /// <summary>The result for an exception that is not a <see cref="ServiceException"/>.</summary>
    public virtual uint ResultFor(System.Exception exception) => exception switch
    {
        System.OutOfMemoryException => Tee.ErrorOutOfMemory,
        System.ArgumentException => Tee.ErrorBadParameters,
        System.NotSupportedException => Tee.ErrorNotSupported,
        _ => Tee.ErrorGeneric,
    };
}
