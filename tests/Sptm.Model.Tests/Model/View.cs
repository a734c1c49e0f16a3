using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Sptm.Model;

/// <summary>What the machine could see at one moment: the types of <see cref="Place.Frames"/>, and all that a table walk can read.</summary>
internal sealed record View(FrameType[] Types, TlbEntry[] Visible)
{
    /// <summary>Walks the tables as hardware does.</summary>
    public static View Of(Memory memory)
    {
        FrameType[] types = new FrameType[Place.Frames.Length];
        HashSet<TlbEntry> visible = [];
        for (int i = 0; i < types.Length; i++)
        {
            types[i] = memory.Frame(Place.Frames[i]).Type;
            Walk(memory, World.Linux, Place.Frames[i], visible);
            Walk(memory, World.Secure, Place.Frames[i], visible);
        }

        return new View(types, [.. visible]);
    }

    /// <summary>Adds what a walk for <paramref name="address"/> reads.</summary>
    public static void Walk(Memory memory, World world, ulong address, ICollection<TlbEntry> visible)
    {
        ulong table = Place.Root(world);
        for (int level = 1; level <= 3; level++)
        {
            ulong descriptor = memory.Word(table + ((address / Place.Reach(level)) % (level == 1 ? 1024ul : 512) * 8));
            if ((descriptor & 1) == 0)
            {
                return;
            }

            if (level == 3 || (descriptor & 2) == 0)
            {
                visible.Add(new TlbEntry(world, level, Place.Base(address, level), Specification.AccessOf(descriptor), -1));
                return;
            }

            table = descriptor & 0xFFFF_FFFF_F000;
            visible.Add(new TlbEntry(world, level, Place.Base(address, level), FrameAccess.None, Memory.PageOf(table)));
        }
    }
}
