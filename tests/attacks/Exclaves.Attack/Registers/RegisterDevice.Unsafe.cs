using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>/dev/exclave_registers: calls of the secure world with every register in the attacker's hands.</summary>
internal sealed unsafe class RegisterDevice : IDisposable
{
    private const string Path = "/dev/exclave_registers";

    private readonly int _descriptor;

    public RegisterDevice()
    {
        _descriptor = Libc.Open(Path, Libc.ReadWrite | Libc.CloseOnExec);
        if (_descriptor < 0)
        {
            throw new InvalidOperationException($"cannot open {Path} (errno {Marshal.GetLastPInvokeError()}): is exclave_registers.ko loaded?");
        }

        Names = RegisterName.Parse(File.ReadAllText(Path));
    }

    public IReadOnlyList<RegisterName> Names { get; }

    /// <summary>Number of a system register in <see cref="Names"/> behind the words that every snapshot begins with.</summary>
    public ulong IndexOf(string register)
    {
        int index = Names.ToList().FindIndex(name => name.Name == register);
        return index >= 0 ? (ulong)(index - RegisterName.FirstSystem) : throw new ArgumentException($"no register {register} in the table");
    }

    /// <param name="seed">Not 0: all registers are filled.</param>
    /// <param name="writes">Registers that are set last, at most <see cref="WorldCall.MaxWrites"/>.</param>
    public WorldCall Call(ReadOnlySpan<ulong> operands, ulong seed = 0, ulong flags = 0, params ReadOnlySpan<(string Register, ulong Value)> writes)
    {
        WorldCall call = new() { Seed = seed, Flags = flags, Count = (ulong)writes.Length };
        operands.CopyTo(call.In);
        for (int i = 0; i < writes.Length; i++)
        {
            call.Writes[i * 2] = IndexOf(writes[i].Register);
            call.Writes[(i * 2) + 1] = writes[i].Value;
        }

        // SAFETY: call is a local; the kernel reads and writes its bytes (layout test).
        return Libc.Ioctl(_descriptor, WorldCall.Number, (nint)(&call)) >= 0
            ? call
            : throw new InvalidOperationException($"{Path}: the call failed (errno {Marshal.GetLastPInvokeError()})");
    }

    public void Dispose() => _ = Libc.Close(_descriptor);
}
