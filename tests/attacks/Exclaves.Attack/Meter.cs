using System;

namespace Exclaves.Attack;

/// <summary>A counter of whoever stops an attack.</summary>
internal readonly record struct Meter(string Name, Func<ulong> Read);
