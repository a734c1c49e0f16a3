using System;
using System.Collections.Generic;

namespace Exclaves.ImageTool;

/// <summary>One broken rule, and where.</summary>
/// <param name="File">The file that must be changed.</param>
/// <param name="Place">Where in it: a JSON path, or the part of a binary; may be empty.</param>
/// <param name="Rule">What must hold, in a sentence.</param>
public sealed record Problem(string File, string Place, string Rule)
{
    public override string ToString() => Place.Length == 0 ? $"{File}: {Rule}" : $"{File}: {Place}: {Rule}";
}

/// <summary>No image was made. Every problem that was found is in it, not only the first.</summary>
public sealed class ImageToolException : Exception
{
    public ImageToolException(IReadOnlyList<Problem> problems)
        : base(string.Join(Environment.NewLine, problems))
    {
        Problems = problems;
    }

    public ImageToolException(string file, string place, string rule)
        : this([new Problem(file, place, rule)])
    {
    }

    public IReadOnlyList<Problem> Problems { get; }
}
