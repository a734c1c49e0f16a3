namespace Exclaves.Tightbeam.Sample;

/// <summary>With a gap, and a negative value.</summary>
public enum Colour : short
{
    Infrared = -3,
    None = 0,
    Red = 1,
    Green = 2,
    Violet = 9,
}
