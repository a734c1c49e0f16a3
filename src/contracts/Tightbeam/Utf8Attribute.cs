using System;

namespace Exclaves.Tightbeam;

/// <summary>A span of bytes that is text: both sides refuse what is not UTF-8.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class Utf8Attribute : Attribute;
