using System;
using System.Collections.Generic;

namespace Exclaves.Vectors;

/// <summary>Files of one form, and how to read them.</summary>
/// <param name="Files">Relative to the folder of all vectors.</param>
/// <param name="Ends">Names whose line ends a vector; none: <paramref name="Last"/> and a line without text.</param>
/// <param name="Read">The vector; null for one that is of no use here.</param>
public sealed record VectorFamily(IReadOnlyList<string> Files, string[] Ends, Func<string, VectorRecord, VectorCase?> Read, string Last = "");
