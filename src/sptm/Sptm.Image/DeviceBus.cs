namespace Exclaves.Sptm.Image;

/// <summary>This machine's devices, for portable code.</summary>
public readonly struct DeviceBus : IDeviceBus
{
    public static uint Read32(ulong address) => Mmio.Read32(address);

    public static void Write32(ulong address, uint value) => Mmio.Write32(address, value);

    public static void Write64(ulong address, ulong value) => Mmio.Write64(address, value);
}
