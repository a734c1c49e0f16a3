namespace Exclaves.SecureKernel;

/// <summary>Who waits at an endpoint: downcalls and threads in one first-in, first-out list, linked through themselves; or the threads that receive there.</summary>
/// <remarks>A node is 1 + downcall index, or the physical address of a thread. Zero ends a list. A node is in one list at most.</remarks>
public static class EndpointQueue<TMachine> where TMachine : struct, IMachine
{
    public static ulong OfDowncall(int index) => (ulong)index + 1;

    public static bool IsThread(ulong node) => node > Limits.Downcalls;

    public static int DowncallOf(ulong node) => (int)node - 1;

    public static void Add(ref KernelState kernel, ref Endpoint endpoint, ulong node)
    {
        Link(ref kernel, node) = 0;
        if (endpoint.Head == 0)
        {
            endpoint.Head = node;
        }
        else
        {
            Link(ref kernel, endpoint.Tail) = node;
        }

        endpoint.Tail = node;
    }

    /// <summary>The oldest node, or 0.</summary>
    public static ulong Take(ref KernelState kernel, ref Endpoint endpoint)
    {
        ulong node = endpoint.Head;
        if (node != 0)
        {
            endpoint.Head = Link(ref kernel, node);
        }

        return node;
    }

    /// <summary>Takes a node out of the middle, if it is there.</summary>
    public static void Remove(ref KernelState kernel, ref Endpoint endpoint, ulong node)
    {
        ulong before = RemoveFrom(ref kernel, ref endpoint.Head, node);
        if (endpoint.Tail == node)
        {
            endpoint.Tail = before;
        }
    }

    /// <summary>Puts a thread in front of those that receive: the last one there has the warmest caches.</summary>
    public static void AddReceiver(ref Endpoint endpoint, ulong thread)
    {
        TMachine.At<Thread>(thread).Next = endpoint.Receivers;
        endpoint.Receivers = thread;
    }

    /// <summary>A thread that receives, or 0.</summary>
    public static ulong TakeReceiver(ref Endpoint endpoint)
    {
        ulong thread = endpoint.Receivers;
        if (thread != 0)
        {
            endpoint.Receivers = TMachine.At<Thread>(thread).Next;
        }

        return thread;
    }

    /// <summary>Takes a node out of a list, if it is there. Answers the one before it.</summary>
    public static ulong RemoveFrom(ref KernelState kernel, ref ulong head, ulong node)
    {
        ulong before = 0;
        for (ulong at = head; at != 0; before = at, at = Link(ref kernel, at))
        {
            if (at != node)
            {
                continue;
            }

            ulong next = Link(ref kernel, at);
            if (before == 0)
            {
                head = next;
            }
            else
            {
                Link(ref kernel, before) = next;
            }

            return before;
        }

        return 0;
    }

    private static ref ulong Link(ref KernelState kernel, ulong node)
    {
        if (IsThread(node))
        {
            return ref TMachine.At<Thread>(node).Next;
        }

        return ref kernel.Downcalls[DowncallOf(node)].Next;
    }
}
