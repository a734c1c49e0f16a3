using System;

namespace Exclaves.Cli.Machine;

/// <summary>A point of the boot and when it was reached, counted from QEMU's start.</summary>
public sealed record BootStage(string Name, TimeSpan Time);
