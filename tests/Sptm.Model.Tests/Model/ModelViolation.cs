using System;

namespace Exclaves.Sptm.Model;

/// <summary>A state was reached that must not be.</summary>
public sealed class ModelViolation : Exception
{
    public ModelViolation(string message)
        : base(message)
    {
    }
}
