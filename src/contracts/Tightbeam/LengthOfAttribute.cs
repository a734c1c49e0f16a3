using System;

namespace Exclaves.Tightbeam;

/// <summary>On an `out int`: how many elements of the out-buffer the service has filled. Without it the whole buffer comes back.</summary>
/// <param name="buffer">Name of the span.</param>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class LengthOfAttribute(string buffer) : Attribute
{
    public string Buffer { get; } = buffer;
}
