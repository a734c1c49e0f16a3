using System;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>One open service. Calls may come from several threads at once; the secure world serves them one by one.</summary>
public sealed class TeeSession : IDisposable
{
    /// <summary>Four of the service, as in GlobalPlatform's client interface, plus two that only tests of malformed calls use.</summary>
    public const int MaxParameters = 6;

    private readonly TeeDevice _device;
    private uint _session;
    private int _open = 1;

    private TeeSession(TeeDevice device, ServiceName service, uint session)
    {
        _device = device;
        Service = service;
        _session = session;
    }

    public ServiceName Service { get; }

    public TeeDevice Device => _device;

    /// <summary>The number that the secure world gave this session.</summary>
    public uint Number => _session;

    internal static TeeSession Open(TeeDevice device, ServiceName service)
    {
        TeeResult result = TryOpen(device, service, out TeeSession? session);
        return session ?? throw TeeException.FromResult("open service", service.ToString(), result, opening: true);
    }

    internal static TeeResult TryOpen(TeeDevice device, ServiceName service, out TeeSession? session)
    {
        OpenSessionBlock block;
        session = null;
        do
        {
            block = default;
            _ = service.Uuid.TryWriteBytes(block.Service, bigEndian: true, out _);
            if (TeeIoctl.OpenSession(device.Descriptor, ref block) < 0)
            {
                throw TeeException.FromErrno("open service", service.ToString(), Marshal.GetLastPInvokeError());
            }
        }
        while (IsTakenBack(block.Result, block.Origin));

        TeeResult result = new(block.Result, block.Origin);
        if (result.Succeeded)
        {
            session = new TeeSession(device, service, block.Session);
        }

        return result;
    }

    /// <summary>Calls an operation; what comes back in values and sizes is stored in <paramref name="parameters"/>.</summary>
    /// <exception cref="TeeException">The service, the secure world or the kernel refused.</exception>
    public void Invoke(uint operation, string name, Span<TeeParameter> parameters)
    {
        TeeResult result = TryInvoke(operation, parameters);
        if (!result.Succeeded)
        {
            throw TeeException.FromResult($"call {name} of service", Service.ToString(), result, opening: false);
        }
    }

    /// <summary>As <see cref="Invoke"/>, but a refusal of the secure world or the service is a value.</summary>
    public TeeResult TryInvoke(uint operation, Span<TeeParameter> parameters)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parameters.Length, MaxParameters);
        ObjectDisposedException.ThrowIf(_open == 0, this);

        InvokeBlock block;
        do
        {
            block = new() { Operation = operation, Session = _session, ParameterCount = (uint)parameters.Length };
            parameters.CopyTo(block.Parameters);
            if (TeeIoctl.Invoke(_device.Descriptor, ref block) < 0)
            {
                throw TeeException.FromErrno($"call operation {operation} of service", Service.ToString(), Marshal.GetLastPInvokeError());
            }
        }
        while (IsTakenBack(block.Result, block.Origin));

        ((Span<TeeParameter>)block.Parameters)[..parameters.Length].CopyTo(parameters);
        return new TeeResult(block.Result, block.Origin);
    }

    /// <summary>A signal took the call back before the service had seen it. It is made again, as a system call that is restarted.</summary>
    private static bool IsTakenBack(uint result, uint origin) => result == Tee.ErrorCancel && origin == Tee.OriginTee;

    /// <summary>Closes the session; what the secure world answers is not of interest to anybody.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _open, 0) == 1)
        {
            _ = TeeIoctl.CloseSession(_device.Descriptor, _session);
            _session = 0;
        }
    }
}
