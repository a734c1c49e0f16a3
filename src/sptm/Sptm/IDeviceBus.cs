namespace Exclaves.Sptm;

/// <summary>Registers of devices by physical address. The order of accesses is the point, so tests stand in for the device.</summary>
public interface IDeviceBus
{
    static abstract uint Read32(ulong address);

    static abstract void Write32(ulong address, uint value);

    static abstract void Write64(ulong address, ulong value);
}
