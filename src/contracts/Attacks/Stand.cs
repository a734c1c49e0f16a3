namespace Exclaves.Attacks;

/// <summary>Where the attacker stands.</summary>
public enum Stand
{
    /// <summary>Code in Linux's kernel, EL1 of the insecure world.</summary>
    Kernel,

    /// <summary>A process of root, EL0 of the insecure world.</summary>
    Process,

    /// <summary>A device that Linux programs.</summary>
    Device,

    /// <summary>A component at EL0 of the secure world.</summary>
    Component,

    /// <summary>SK itself, replaced by an image that does what it is told.</summary>
    SecureKernel,

    /// <summary>Whoever can write the file that the machine boots.</summary>
    Image,
}

/// <summary>Names as people know them.</summary>
public static class Stands
{
    public static string Describe(Stand stand) => stand switch
    {
        Stand.Kernel => "Linux kernel, EL1",
        Stand.Process => "Linux process, EL0",
        Stand.Device => "device of Linux",
        Stand.Component => "secure component, EL0",
        Stand.Image => "image on the disk",
        _ => "compromised SK, EL1",
    };
}

/// <summary>Which machine an attack runs on.</summary>
public enum AttackMachine
{
    /// <summary>The one that `exclave run` boots, with one more component: the compromised one.</summary>
    Usual,

    /// <summary>The same with devices that an attacker would like to program: `edu` (twice, once behind a bridge), e1000, a virtio disk, an ITS.</summary>
    Devices,

    /// <summary>The usual one with one CPU and a clock that counts instructions.</summary>
    Counted,

    /// <summary>The compromised SK.</summary>
    RogueKernel,

    /// <summary>The compromised SK on a CPU with SVE, SME, pointer authentication, performance counters and activity monitors.</summary>
    RogueKernelMax,

    /// <summary>That with one CPU and a clock that counts instructions.</summary>
    RogueKernelCounted,

    /// <summary>The one that `exclave run` boots, from what the attacker made of its image.</summary>
    ChangedImage,
}
