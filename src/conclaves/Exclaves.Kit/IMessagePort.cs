using System;

namespace Exclaves.Kit;

/// <summary>Where messages come from and answers go to.</summary>
public interface IMessagePort
{
    /// <summary>Waits for the first message. Header and body are in <paramref name="message"/>; the answer is the bytes that are valid.</summary>
    int Receive(Span<byte> message);

    /// <summary>Sends <paramref name="message"/> as the answer to the one received last, then as <see cref="Receive"/>.</summary>
    int ReplyReceive(Span<byte> message);
}
