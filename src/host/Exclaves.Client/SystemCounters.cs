using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>The counters of SK, SPTM and XnuProxy at one moment.</summary>
public sealed class SystemCounters
{
    private const int HeaderWords = 3;

    private readonly ulong[] _sk;
    private readonly ulong[] _sptm;
    private readonly ulong[] _proxy;

    private SystemCounters(ulong[] sk, ulong[] sptm, ulong[] proxy)
    {
        _sk = sk;
        _sptm = sptm;
        _proxy = proxy;
    }

    public ulong this[SkCounter counter] => _sk[(int)counter];

    public ulong this[SptmCounter counter] => _sptm[(int)counter];

    public ulong this[ProxyCounter counter] => _proxy[(int)counter];

    /// <summary>Decodes the answer of <see cref="StatisticsOperation.Counters"/>. A newer system may send more counters; fewer are refused.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> answer, out SystemCounters? counters)
    {
        counters = null;
        if (answer.Length % sizeof(ulong) != 0 || answer.Length < HeaderWords * sizeof(ulong))
        {
            return false;
        }

        ulong sk = Word(answer, 0);
        ulong sptm = Word(answer, 1);
        ulong proxy = Word(answer, 2);
        ulong words = (ulong)answer.Length / sizeof(ulong);
        bool fits = sk >= (uint)SkCounter.Count && sptm >= (uint)SptmCounter.Count && proxy >= (uint)ProxyCounter.Count
            && sk <= words && sptm <= words && proxy <= words && HeaderWords + sk + sptm + proxy == words;
        if (fits)
        {
            int next = HeaderWords;
            counters = new SystemCounters(Take(answer, ref next, (int)sk), Take(answer, ref next, (int)sptm), Take(answer, ref next, (int)proxy));
        }

        return fits;
    }

    private static ulong Word(ReadOnlySpan<byte> answer, int index) =>
        BinaryPrimitives.ReadUInt64LittleEndian(answer[(index * sizeof(ulong))..]);

    private static ulong[] Take(ReadOnlySpan<byte> answer, ref int next, int count)
    {
        ulong[] words = new ulong[count];
        for (int i = 0; i < count; i++)
        {
            words[i] = Word(answer, next + i);
        }

        next += count;
        return words;
    }
}
