using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Log lines and figures.</summary>
public static class InformationCalls<TMachine> where TMachine : struct, IMachine
{
    private const ulong MaxLogBytes = 256;
    private const uint CounterWords = (uint)SkCounter.Count + (uint)SptmCounter.Count;

    /// <summary>x0 = VA, x1 = bytes. The line gets the component's name in front.</summary>
    public static Status Log(ref KernelState kernel, ref Thread caller)
    {
        ref Component owner = ref kernel.Components[caller.Component];
        ulong address = caller.Context.X[0];
        ulong bytes = caller.Context.X[1];
        if (bytes is 0 or > MaxLogBytes)
        {
            return Status.BadArgument;
        }

        LogLine<TMachine> line = LogLine<TMachine>.Start(ref kernel, ref owner);
        ulong at = 0;
        for (ulong i = 0; i < bytes; i++, at++)
        {
            bool isNewPage = i == 0 || ((address + i) & (Limits.PageBytes - 1)) == 0;
            at = isNewPage ? owner.Space.Translate<TMachine>(address + i, write: false) : at;
            if (at == 0)
            {
                return Status.BadAddress;
            }

            line.Add(TMachine.At<byte>(at));
        }

        line.Send();
        return Status.Ok;
    }

    /// <summary>x0 = VA (8-byte aligned, within a page), x1 = words: as many counters as fit, SK's first.</summary>
    public static Status Counters(ref KernelState kernel, ref Thread caller)
    {
        if (!kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Counters))
        {
            return Status.BadCapability;
        }

        ulong address = caller.Context.X[0];
        ulong words = caller.Context.X[1];
        words = words < CounterWords ? words : CounterWords;
        if ((address & 7) != 0 || words == 0 || (address & (Limits.PageBytes - 1)) + (words * sizeof(ulong)) > Limits.PageBytes)
        {
            return Status.BadArgument;
        }

        ulong target = kernel.Components[caller.Component].Space.Translate<TMachine>(address, write: true);
        if (target == 0)
        {
            return Status.BadAddress;
        }

        kernel.Counters[(int)SkCounter.FramesInUse] = FramesInUse(ref kernel);
        for (int i = 0; i < (int)SkCounter.Count; i++)
        {
            TMachine.At<ulong>(kernel.Scratch + ((ulong)i * sizeof(ulong))) = kernel.Counters[i];
        }

        TMachine.SptmCounters(kernel.Scratch + ((ulong)SkCounter.Count * sizeof(ulong)));
        TMachine.Copy(target, kernel.Scratch, words * sizeof(ulong));
        return Status.Ok;
    }

    /// <summary>x0 = component index: name in the IPC page's body; untyped base, bytes, bytes used in x1..x3, state (bits 7:0), <see cref="ComponentFlags"/> (15:8) and generation (high half) in x4,
    /// base and bytes of donated memory in x5, x6.</summary>
    public static Status Component(ref KernelState kernel, ref Thread caller)
    {
        if (!kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Counters))
        {
            return Status.BadCapability;
        }

        ref UserContext context = ref caller.Context;
        if (context.X[0] >= (ulong)kernel.ComponentCount)
        {
            return Status.NotFound;
        }

        ref Component asked = ref kernel.Components[(int)context.X[0]];
        TMachine.Copy(caller.IpcPage + MessageHeader.Bytes, asked.Entry, (ulong)Unsafe.SizeOf<Name64>());
        context.X[1] = asked.Memory.Base;
        context.X[2] = asked.Memory.Bytes;
        context.X[3] = asked.Memory.UsedFrames * Limits.PageBytes;
        context.X[4] = (ulong)asked.Life | ((ulong)TMachine.At<ComponentEntry>(asked.Entry).Flags << 8) | ((ulong)asked.Generation << 32);
        Donations<TMachine>.Describe(ref kernel, asked.Index, out context.X[5], out context.X[6]);
        return Status.Ok;
    }

    private static ulong FramesInUse(ref KernelState kernel)
    {
        ulong frames = 0;
        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            frames += kernel.Components[i].Memory.UsedFrames;
        }

        return frames;
    }
}
