namespace Exclaves.Tightbeam.Sample;

/// <summary>A structure of structures, with an optional one.</summary>
public readonly struct Segment
{
    public Segment(Point from, Point? to, byte width, bool closed)
    {
        From = from;
        To = to;
        Width = width;
        Closed = closed;
    }

    public Point From { get; }

    public Point? To { get; }

    public byte Width { get; }

    public bool Closed { get; }
}
