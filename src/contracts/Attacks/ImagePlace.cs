namespace Exclaves.Attacks;

/// <summary>Where in an image an attacker changes a bit before it boots.</summary>
public enum ImagePlace
{
    /// <summary>The end of SPTM's slot, behind its file.</summary>
    MonitorSlot,

    /// <summary>Where SPTM's variables will be.</summary>
    MonitorVariables,

    /// <summary>An instruction of SK's.</summary>
    KernelText,

    /// <summary>The end of the pages that hold SK's text.</summary>
    KernelTextEnd,

    /// <summary>The end of SK's slot.</summary>
    KernelSlot,
    Header,

    /// <summary>The signed list of digests.</summary>
    Manifest,
    Signature,

    /// <summary>The program that verifies the signature.</summary>
    Verifier,

    /// <summary>The first component's text.</summary>
    Component,

    /// <summary>The end of the first component.</summary>
    ComponentEnd,

    /// <summary>The end of the last conclave.</summary>
    ConclaveEnd,

    /// <summary>What fills the image's last block.</summary>
    Padding,
}
