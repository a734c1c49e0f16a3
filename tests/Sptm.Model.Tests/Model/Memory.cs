using System;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.Sptm.Model;

/// <summary>One state of the monitor: frame table, tables of both translations, pool.</summary>
internal sealed class Memory
{
    private readonly ulong[] _words;
    private readonly ushort[] _deviations;
    private readonly FrameEntry[] _frames;
    private TablePool _pool;

    public Memory(int poolPages)
    {
        _words = new ulong[(Place.RootPages + poolPages) * 512];
        _deviations = new ushort[Place.RootPages + poolPages];
        _frames = new FrameEntry[Place.RamFrames];
        _pool = new TablePool(Place.Pool, (ulong)poolPages * Place.Page);
    }

    private Memory(Memory other)
    {
        _words = [.. other._words];
        _deviations = [.. other._deviations];
        _frames = [.. other._frames];
        _pool = other._pool;
    }

    public ref TablePool Pool => ref _pool;

    public FrameTable Frames => new(_frames, Place.RamBase);

    public static int PageOf(ulong table) => (int)((table - Place.LinuxRoot) / Place.Page);

    public static bool IsTable(ulong address) => address >= Place.LinuxRoot;

    public ref ulong Word(ulong address) => ref _words[(address - Place.LinuxRoot) / 8];

    public ref ushort Deviations(ulong table) => ref _deviations[PageOf(table)];

    public ref FrameEntry Frame(ulong address) => ref _frames[(address - Place.RamBase) / Place.Page];

    public void ClearTable(ulong table) => _words.AsSpan(PageOf(table) * 512, 512).Clear();

    public Memory Copy() => new(this);

    public void CopyFrom(Memory other)
    {
        other._words.CopyTo(_words, 0);
        other._deviations.CopyTo(_deviations, 0);
        other._frames.CopyTo(_frames, 0);
        _pool = other._pool;
    }

    /// <summary>Equal for states that differ in nothing but which page of the pool holds which table.</summary>
    public string Key()
    {
        StringBuilder key = new();
        foreach (ulong address in Place.Frames)
        {
            FrameEntry frame = Frame(address);
            _ = key.Append((int)frame.Type).Append(',').Append(frame.BorrowCount).Append(',').Append(frame.ArgumentCount).Append(';');
        }

        foreach (TlbEntry entry in View.Of(this).Visible)
        {
            _ = key.Append(entry with { Table = entry.IsWalk ? 0 : -1 }).Append(entry.IsWalk ? _deviations[entry.Table] : 0).Append(';');
        }

        return key.Append(_pool.FreeBytes).ToString();
    }

    /// <summary>The entry of a table that <paramref name="address"/> is, if a walk can reach it.</summary>
    public bool TryFindEntry(ulong address, out World world, out int level, out ulong translated)
    {
        ulong page = address & ~(Place.Page - 1);
        ulong index = (address & (Place.Page - 1)) / 8;
        for (world = World.Linux; world <= World.Secure; world++)
        {
            ulong root = Place.Root(world);
            if (page - root < 2 * Place.Page)
            {
                level = 1;
                translated = (address - root) / 8 * Place.Gigabyte;
                return true;
            }

            foreach (ulong frame in Place.Frames)
            {
                ulong table = root;
                for (level = 1; level < 3; level++)
                {
                    ulong descriptor = Word(table + (frame / Place.Reach(level) % (level == 1 ? 1024ul : 512) * 8));
                    if ((descriptor & 3) != 3)
                    {
                        break;
                    }

                    table = descriptor & 0xFFFF_FFFF_F000;
                    if (table == page)
                    {
                        translated = Place.Base(frame, level) + (index * Place.Reach(++level));
                        return true;
                    }
                }
            }
        }

        level = 0;
        translated = 0;
        return false;
    }
}
