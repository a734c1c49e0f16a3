using System;

namespace Exclaves.Tightbeam;

/// <summary>Bounds a span or a shared buffer.</summary>
/// <param name="count">Elements of a span, bytes of a shared buffer.</param>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class MaxAttribute(int count) : Attribute
{
    public int Count { get; } = count;
}
