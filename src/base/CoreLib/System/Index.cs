namespace System;

/// <summary>A position from the start or the end. The compiler lowers `span[^1]` without it, but must find it.</summary>
public readonly struct Index
{
    private readonly int _value;

    public Index(int value, bool fromEnd = false)
    {
        if (value < 0)
        {
            Internal.Runtime.CompilerHelpers.ThrowHelpers.ThrowArgumentOutOfRangeException();
        }

        _value = fromEnd ? ~value : value;
    }

    public bool IsFromEnd => _value < 0;

    public int Value => _value < 0 ? ~_value : _value;

    public int GetOffset(int length) => _value < 0 ? _value + length + 1 : _value;

    public static implicit operator Index(int value) => new(value);
}

/// <summary>From one position up to another. The compiler lowers `span[a..b]` to Slice.</summary>
public readonly struct Range(Index start, Index end)
{
    public Index Start { get; } = start;

    public Index End { get; } = end;

    public static Range StartAt(Index start) => new(start, new Index(0, fromEnd: true));

    public static Range EndAt(Index end) => new(new Index(0), end);

    public static Range All => new(new Index(0), new Index(0, fromEnd: true));
}
