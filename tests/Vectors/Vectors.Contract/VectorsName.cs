namespace Exclaves.Vectors;

/// <summary>The service's name in the secure world, as system.json declares it.</summary>
public static class VectorsName
{
    public const string Uuid = "c1b7f3a2-58de-4e0b-9a64-7d2f08e5b913";
}
