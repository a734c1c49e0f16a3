using System;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>A call failed. In a service: throw it to refuse with a text; at a caller: what the service threw, or why there is no answer.</summary>
public sealed class TightbeamException : Exception
{
    /// <summary>For services: a refusal with the reason in words.</summary>
    public TightbeamException(Status status, string text)
        : this(status, 0, text, text)
    {
    }

    private TightbeamException(Status status, uint error, string text, string message)
        : base(message)
    {
        Status = status == Status.Ok && error == 0 ? Status.Failed : status;
        Error = error;
        Text = text;
    }

    /// <summary>Ok when the service refused with an error of its own, which <see cref="Error"/> is then.</summary>
    public Status Status { get; }

    public uint Error { get; }

    /// <summary>The service's own words; empty when it said nothing, or may not (production).</summary>
    public string Text { get; }

    /// <summary>For services: a refusal with an error of the interface's own enum.</summary>
    public static TightbeamException For<TError>(TError error, string text)
        where TError : unmanaged, Enum
    {
        Result<TError> result = error;
        return new TightbeamException(Status.Ok, result.Code, text, text);
    }

    /// <summary>For generated code: throws unless the call worked.</summary>
    public static void ThrowIfFailed(Status status, uint error, string operation, ReadOnlySpan<byte> response)
    {
        if (status == Status.Ok && error == 0)
        {
            return;
        }

        // Only an answer that was found sound has a text to show; a transport's failure leaves none.
        string text = response.Length >= WireHeader.Bytes && WireHeader.TryReadFailure(response, out ReadOnlySpan<byte> words) ? Encoding.UTF8.GetString(words) : "";
        string reason = status == Status.Ok ? $"error {error} of the service" : status.ToString();
        throw new TightbeamException(status, error, text, text.Length == 0 ? $"{operation}: {reason}" : $"{operation}: {reason}: {text}");
    }
}
