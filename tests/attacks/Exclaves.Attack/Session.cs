using System;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>A session of Hello, opened past Linux's driver and closed again.</summary>
internal sealed class Session : IDisposable
{
    private readonly RawDriver _driver;

    public Session(RawDriver driver)
        : this(driver, ServiceName.Hello)
    {
    }

    public Session(RawDriver driver, ServiceName service)
    {
        _driver = driver;
        uint opened = driver.Open(service, out uint number);
        Number = opened == Tee.Success ? number : throw new InvalidOperationException($"no session of {service.Label}: 0x{opened:x8}");
    }

    public uint Number { get; }

    /// <summary>An attack may have ended the session already.</summary>
    public void Dispose() => _ = _driver.Close(Number);
}
