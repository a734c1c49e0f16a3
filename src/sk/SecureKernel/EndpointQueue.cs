namespace Exclaves.SecureKernel;

/// <summary>Who waits for a server: downcalls and threads in one first-in, first-out list, linked through themselves.</summary>
/// <remarks>A node is 1 + downcall index, or <see cref="ThreadBit"/> + component index. Zero ends a list. A node is in one list at most.</remarks>
public static class EndpointQueue
{
    public const ushort ThreadBit = 0x1000;

    public static ushort OfDowncall(int index) => (ushort)(index + 1);

    public static ushort OfThread(int component) => (ushort)(ThreadBit | component);

    public static bool IsThread(ushort node) => (node & ThreadBit) != 0;

    public static int IndexOf(ushort node) => IsThread(node) ? node & ~ThreadBit : node - 1;

    public static void Add(ref KernelState kernel, ref Component server, ushort node)
    {
        Link(ref kernel, node) = 0;
        if (server.QueueHead == 0)
        {
            server.QueueHead = node;
        }
        else
        {
            Link(ref kernel, server.QueueTail) = node;
        }

        server.QueueTail = node;
    }

    /// <summary>The oldest node, or 0.</summary>
    public static ushort Take(ref KernelState kernel, ref Component server)
    {
        ushort node = server.QueueHead;
        if (node != 0)
        {
            server.QueueHead = Link(ref kernel, node);
        }

        return node;
    }

    /// <summary>Takes a node out of the middle, if it is there.</summary>
    public static void Remove(ref KernelState kernel, ref Component server, ushort node)
    {
        ushort before = 0;
        for (ushort at = server.QueueHead; at != 0; before = at, at = Link(ref kernel, at))
        {
            if (at != node)
            {
                continue;
            }

            ushort next = Link(ref kernel, at);
            if (before == 0)
            {
                server.QueueHead = next;
            }
            else
            {
                Link(ref kernel, before) = next;
            }

            if (server.QueueTail == node)
            {
                server.QueueTail = before;
            }

            return;
        }
    }

    private static ref ushort Link(ref KernelState kernel, ushort node)
    {
        if (IsThread(node))
        {
            return ref kernel.Components[IndexOf(node)].Next;
        }

        return ref kernel.Downcalls[IndexOf(node)].Next;
    }
}
