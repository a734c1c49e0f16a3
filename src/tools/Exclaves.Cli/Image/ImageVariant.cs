namespace Exclaves.Cli.Image;

/// <summary>Which monitor an image holds.</summary>
public enum ImageVariant
{
    /// <summary>The one that protects.</summary>
    Normal,

    /// <summary>One with protections left out, on which the attacks must succeed: proof that the tests can fail.</summary>
    Weak,

    /// <summary>One that compares its tables with each other and keeps account of TLBs: what the machine tests run on.</summary>
    Checked,
}
