using Exclaves.ImageTool.Description;
using Exclaves.ImageTool.Signing;

namespace Exclaves.ImageTool.Layout;

/// <summary>What to build an image from.</summary>
public sealed record ImageRequest
{
    /// <summary>System description, JSON.</summary>
    public required string System { get; init; }

    /// <summary>Folder that the paths of the description are relative to: the build's output folder.</summary>
    public required string Artifacts { get; init; }

    /// <summary>Linux's kernel: an arm64 Image, or one packed with gzip.</summary>
    public required string Kernel { get; init; }

    public required string Initramfs { get; init; }

    /// <summary>Linux's command line.</summary>
    public string BootArguments { get; init; } = "";

    /// <summary>Another monitor than the description names, for example one with a protection left out. Null: as described.</summary>
    public string? Sptm { get; init; }

    /// <summary>Memory of the machine that it shall boot on.</summary>
    public ulong RamBytes { get; init; } = PoolPlan.UsualRamBytes;

    /// <summary>Signs the image, and is the one that the image's monitor will trust.</summary>
    public required SigningKey Key { get; init; }

    /// <summary>Another secure kernel than the description names, for example one that an attacker owns. Null: as described.</summary>
    public string? Sk { get; init; }

    public required string Output { get; init; }
}
