namespace Exclaves.Abi;

/// <summary>How far the secure world has come, with the original's numbers. It only moves up.</summary>
public enum ExclavesStatus : uint
{
    NotDefined = 0,

    /// <summary>Secure boot refused the image: no secure world until the machine restarts.</summary>
    NotSupported = 1,

    /// <summary>The image is verified; SK has not set itself up yet.</summary>
    NotStarted = 2,

    /// <summary>SK and the core components run.</summary>
    ExclaveCore = 3,

    /// <summary>FrameMint has minted ExclaveKit's text: .NET conclaves start when they are called.</summary>
    ExclaveKit = 4,

    /// <summary>FrameMint has failed: none starts until the machine restarts. The core goes on.</summary>
    Failure = 5,
}
