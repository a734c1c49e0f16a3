using System;

namespace Exclaves.Tightbeam;

/// <summary>On a <see cref="SharedBuffer"/>: the service writes it.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class WritableAttribute : Attribute;
