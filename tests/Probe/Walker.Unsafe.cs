using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.ObjectModel;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>The component Walker: the walks of tests/ObjectModel with SK's real system calls and real memory.</summary>
internal readonly unsafe struct Walker : IService, IWalkSubject
{
    /// <summary>Granted by probe.json.</summary>
    private const uint Untyped = 10;
    private const int UntypedLog2 = 17;

    /// <summary>Where the untyped memory would lie if a component knew addresses: its size divides this.</summary>
    private const ulong UntypedBase = 1ul << 32;

    private const int MaxNodes = 1024;
    private const ulong Nodes = UserLayout.PrivateBase + (16 * UserLayout.PageBytes);
    private const MemoryAccess ReadWrite = MemoryAccess.Read | MemoryAccess.Write;

    private static ulong NodePages => (((ulong)Unsafe.SizeOf<ObjectNode>() * MaxNodes) + UserLayout.PageBytes - 1) / UserLayout.PageBytes;

    public static uint Open(ref ServiceMessage message) => Tee.Success;

    public static uint Close(ref ServiceMessage message) => Tee.Success;

    public static uint Invoke(ref ServiceMessage message)
    {
        if ((ProbeOperation)message.Operation != ProbeOperation.Walk)
        {
            return Tee.ErrorNotSupported;
        }

        // The tables above the walk's own pages stay as long as these pages do.
        if (SecureCalls.MapMemory(Nodes, NodePages, ReadWrite) != Status.Ok)
        {
            return Tee.ErrorOutOfMemory;
        }

        IpcPage page = IpcPage.Only;
        MessageHeader header = page.Header;
        ServiceMessage kept = message;
        page.Header.Length = MessageHeader.MaxBodyBytes + 1;
        Walk(kept.P0.A, kept.P0.B, ref kept);
        page.Header = header;
        message = kept;
        return SecureCalls.UnmapMemory(Nodes, NodePages) == Status.Ok ? Tee.Success : Tee.ErrorGeneric;
    }

    public Status Call(SecureCall call, ulong x0, ulong x1, ulong x2, ulong x3, ulong x4, out ulong value)
    {
        if (call == SecureCall.Poll && x0 <= uint.MaxValue)
        {
            return SecureCalls.Poll((uint)x0, out value);
        }

        value = 0;
        return Hostile.Call(x0, x1, x2, x3, x4, call);
    }

    public ulong Load(ulong address)
    {
        // SAFETY: the walk asks for words of pages alone that it has mapped; if SK says so and it is not true, the component ends, and the test with it.
        return *(ulong*)address;
    }

    public void Store(ulong address, ulong value)
    {
        // SAFETY: as Load, of pages mapped for writing.
        *(ulong*)address = value;
    }

    private static void Walk(ulong seed, ulong steps, ref ServiceMessage message)
    {
        // SAFETY: mapped by Invoke, for as long as the walk lasts.
        ObjectTree tree = new(new Span<ObjectNode>((void*)Nodes, MaxNodes));
        Declare(ref tree);
        ObjectWalk<Walker> walk = new(default, in tree, Untyped, seed);
        for (ulong i = 0; i < steps && walk.TryStep(); i++)
        {
        }

        _ = walk.TryEnd();
        WalkDifference difference = walk.Difference;
        message.P1.A = walk.Done;
        message.P1.B = walk.Refused;
        message.P2.A = difference.IsSome ? 1 + (ulong)difference.Call : 0;
        message.P2.B = (ulong)difference.Came | ((ulong)difference.Due << 32);
        message.P3.A = difference.X0;
        message.P3.B = difference.Call == SecureCall.None ? difference.CameValue : difference.X1;
    }

    /// <summary>What the image gives each component that serves Linux, and what probe.json grants.</summary>
    private static void Declare(ref ObjectTree tree)
    {
        // SAFETY: SK maps the page there, read only.
        ulong badge = 1ul + Unsafe.AsRef<StartInfo>((void*)UserLayout.StartInfo).Component;
        ObjectNode node = new() { Kind = ObjectKind.Endpoint, Rights = CapabilityRights.Receive, IsOriginal = true, IsDeclared = true, Parent = ObjectTree.Nobody, Index = ComponentEntry.OwnEndpointSlot };
        tree.Add(node);
        node.Rights = CapabilityRights.Send;
        node.IsOriginal = false;
        node.Depth = 1;
        node.Badge = badge;
        node.Index = ComponentEntry.UpcallSlot;
        tree.Add(node);
        node.Index = ComponentEntry.LogSlot;
        tree.Add(node);
        tree.Add(new ObjectNode
        {
            Kind = ObjectKind.Untyped,
            Rights = CapabilityRights.Use,
            Object = UntypedBase,
            SizeLog2 = UntypedLog2,
            IsOriginal = true,
            IsDeclared = true,
            Parent = ObjectTree.Nobody,
            Index = Untyped,
        });
    }
}
