using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>One thing, again and again, by the clock.</summary>
internal static class Loops
{
    /// <summary>More than SK's fast path carries (SecureKernel, Limits.ShortMessage).</summary>
    private const uint LongBody = 576;
    private const ulong Passing = UserLayout.PrivateBase + UserLayout.PageBytes;

    public static Status Run(IpcPage page, ProbeOperation operation, ulong count, out ulong ticks)
    {
        ulong context = Contexts() + (page.IsFirst ? 0 : UserLayout.PageBytes);
        Status status = operation == ProbeOperation.Fault || operation == ProbeOperation.ResumeContext
            ? SecureCalls.SetPersonality(HandlerAddress(), UserLayout.StackTop - (UserLayout.StackBytes / 2), context)
            : Status.Ok;
        ulong start = Ticks();
        for (ulong i = 0; i < count && status == Status.Ok; i++)
        {
            switch (operation)
            {
                case ProbeOperation.Call:
                    status = Call(page, 0, 0);
                    break;
                case ProbeOperation.CallLong:
                    status = Call(page, 0, LongBody);
                    break;
                case ProbeOperation.CallDeferred:
                    status = Call(page, Echo.Deferred, 0);
                    break;
                case ProbeOperation.Notify:
                    status = Notify(Capabilities.SignalThere);
                    break;
                case ProbeOperation.NotifySelf:
                    status = Notify(Capabilities.SignalBack);
                    break;
                case ProbeOperation.MapUnmapMemory:
                    status = SecureCalls.MapMemory(Passing, 1, MemoryAccess.Read | MemoryAccess.Write);
                    status = status == Status.Ok ? SecureCalls.UnmapMemory(Passing, 1) : status;
                    break;
                case ProbeOperation.MapUnmapFrame:
                    status = SecureCalls.MapFrame(Capabilities.Frame, Passing, MemoryAccess.Read | MemoryAccess.Write);
                    status = status == Status.Ok ? SecureCalls.UnmapFrame(Capabilities.Frame) : status;
                    break;
                case ProbeOperation.RetypeDelete:
                    status = SecureCalls.Retype(Capabilities.Spare, ObjectKind.Endpoint, 0, Capabilities.Passing, 1);
                    status = status == Status.Ok ? SecureCalls.Delete(Capabilities.Passing) : status;
                    break;
                case ProbeOperation.Send:
                    page.Header.Label = MessageLabel.Invoke;
                    page.Header.Length = 0;
                    status = SecureCalls.Send(Capabilities.Echo);
                    break;
                case ProbeOperation.Fault:
                    Fault(count);
                    count = 0;
                    break;
                case ProbeOperation.ResumeContext:
                    Resume(count, context);
                    count = 0;
                    break;
                default:
                    status = Status.BadCall;
                    break;
            }
        }

        ticks = Ticks() - start;
        if (operation == ProbeOperation.Notify)
        {
            _ = SecureCalls.Signal(Capabilities.EndListening);
        }

        if (operation == ProbeOperation.RetypeDelete)
        {
            // What was given out of untyped memory comes back all at once.
            _ = SecureCalls.Revoke(Capabilities.Spare);
        }

        return status;
    }

    public static Status Listen()
    {
        while (true)
        {
            Status status = SecureCalls.Wait(Capabilities.There, out ulong bits);
            if (status != Status.Ok || (bits & Capabilities.Stop) != 0)
            {
                return status;
            }

            status = SecureCalls.Signal(Capabilities.SignalBack);
            if (status != Status.Ok)
            {
                return status;
            }
        }
    }

    private static Status Call(IpcPage page, ulong word, uint length)
    {
        ref MessageHeader header = ref page.Header;
        header.Label = MessageLabel.Invoke;
        header.Length = length;
        header.Word0 = word;
        Status status = SecureCalls.CallEndpoint(Capabilities.Echo);
        return status == Status.Ok ? page.Header.Status : status;
    }

    private static Status Notify(uint slot)
    {
        Status status = SecureCalls.Signal(slot);
        return status == Status.Ok ? SecureCalls.Wait(Capabilities.Back, out _) : status;
    }

    [RuntimeImport("*", "probe_ticks")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong Ticks();

    [RuntimeImport("*", "probe_fault")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Fault(ulong count);

    [RuntimeImport("*", "probe_resume")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Resume(ulong count, ulong context);

    [RuntimeImport("*", "probe_handler_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong HandlerAddress();

    [RuntimeImport("*", "probe_contexts")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong Contexts();
}
