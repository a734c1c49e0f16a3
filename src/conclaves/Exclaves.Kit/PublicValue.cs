using System;
using System.Globalization;

namespace Exclaves.Kit;

/// <summary>Looks like its value to everybody but the log (<see cref="LogPrivacy.AsPublic"/>).</summary>
public readonly record struct PublicValue<T>(T Value) : IPublicValue, IFormattable
{
    public override string ToString() => ToString(null, CultureInfo.InvariantCulture);

    public string ToString(string? format, IFormatProvider? formatProvider) =>
        Value is IFormattable formattable ? formattable.ToString(format, formatProvider) : Value?.ToString() ?? "(null)";
}
