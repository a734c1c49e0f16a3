namespace Exclaves.Tightbeam;

/// <summary>Whether callers read what a service says about a failure.</summary>
public enum ServiceText
{
    /// <summary>In production: the status alone. A text may name what the caller is not to know.</summary>
    Redacted = 0,

    /// <summary>While developing: every exception's message.</summary>
    Shown = 1,
}
