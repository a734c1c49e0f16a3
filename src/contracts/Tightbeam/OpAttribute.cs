using System;

namespace Exclaves.Tightbeam;

/// <summary>Gives an operation its number, which is never given to another one.</summary>
/// <param name="number">Not zero: operation 0 of every interface answers its version.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpAttribute(ushort number) : Attribute
{
    public ushort Number { get; } = number;

    /// <summary>A second call with the same arguments changes nothing, so a caller that lost the answer may repeat it.</summary>
    public bool Idempotent { get; set; }

    /// <summary>Version of the interface that has it first.</summary>
    public ushort Since { get; set; } = 1;
}
