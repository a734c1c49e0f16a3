using System;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>What travels beside a message: at most two shared buffers and one capability each way.</summary>
public ref struct Attachments
{
    public const int MaxBuffers = 2;

    private SharedBuffer _first;
    private SharedBuffer _second;

    public SharedAccess FirstAccess { get; private set; }

    public SharedAccess SecondAccess { get; private set; }

    /// <summary>The slot of the capability that goes along, or came; 0 = none.</summary>
    public uint CapabilitySlot { get; set; }

    public readonly SharedBuffer First => _first;

    public readonly SharedBuffer Second => _second;

    /// <summary>Adds the next buffer.</summary>
    public Status Add(SharedBuffer buffer, SharedAccess access)
    {
        if (FirstAccess == SharedAccess.None)
        {
            _first = buffer;
            FirstAccess = access;
            return Status.Ok;
        }

        if (SecondAccess == SharedAccess.None)
        {
            _second = buffer;
            SecondAccess = access;
            return Status.Ok;
        }

        return Status.TooBig;
    }

    /// <summary>For dispatch: buffer <paramref name="index"/>, if it is there with just this access and just this length.</summary>
    public readonly SharedBuffer Take(int index, int length, SharedAccess access, out Status status)
    {
        bool isFirst = index == 0;
        SharedBuffer buffer = isFirst ? _first : _second;
        bool isSound = (isFirst ? FirstAccess : SecondAccess) == access && buffer.Length == length;
        status = isSound ? Status.Ok : Status.BadArgument;
        return isSound ? buffer : default;
    }

    /// <summary>For dispatch: whether just so many buffers came.</summary>
    public readonly bool Match(int buffers) =>
        (FirstAccess != SharedAccess.None) == buffers > 0
        && (SecondAccess != SharedAccess.None) == buffers > 1;

    /// <summary>For dispatch: the capability that came. From then on the field is the answer's.</summary>
    public Capability TakeCapability()
    {
        Capability came = new(CapabilitySlot);
        CapabilitySlot = 0;
        return came;
    }
}
