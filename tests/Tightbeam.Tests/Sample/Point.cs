namespace Exclaves.Tightbeam.Sample;

/// <summary>A plain structure.</summary>
public readonly struct Point
{
    public Point(int x, int y, Colour colour)
    {
        X = x;
        Y = y;
        Colour = colour;
    }

    public int X { get; }

    public int Y { get; }

    public Colour Colour { get; }
}
