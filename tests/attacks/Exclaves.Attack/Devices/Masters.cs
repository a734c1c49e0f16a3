namespace Exclaves.Attack;

/// <summary>The bus masters of the machine with devices, each programmed past Linux.</summary>
internal sealed class Masters
{
    private readonly AttackDevice _device;
    private EduDevice? _edu;
    private RawDisk? _disk;
    private PacketCard? _card;

    public Masters(AttackDevice device)
    {
        _device = device;
        Pattern = device.NewPage(forDevices: true);
        Result = device.NewPage(forDevices: true);
        Bridge = PciFunction.Find(device, 0, 0x1B36, 0x000C);
    }

    public EduDevice Edu => _edu ??= new EduDevice(PciFunction.Find(_device, 0, EduDevice.Vendor, EduDevice.Id));

    public RawDisk Disk => _disk ??= new RawDisk(_device);

    public PacketCard Card => _card ??= new PacketCard(_device);

    /// <summary>The root port with another `edu` behind it.</summary>
    public PciFunction Bridge { get; }

    /// <summary>Pages that devices reach.</summary>
    public KernelPage Pattern { get; }

    public KernelPage Result { get; }
}
