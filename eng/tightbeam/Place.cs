using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Exclaves.Tightbeam.Generator;

/// <summary>A place in source that does not keep the source alive.</summary>
internal sealed record Place(string File, TextSpan Span, LinePositionSpan Lines)
{
    public static Place Of(Location location) => new(location.SourceTree?.FilePath ?? "", location.SourceSpan, location.GetLineSpan().Span);

    public Location ToLocation() => Location.Create(File, Span, Lines);
}
