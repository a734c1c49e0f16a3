namespace Exclaves.Samples.JsonStore;

/// <summary>The service's name in the secure world, as system.json declares it.</summary>
public static class JsonStoreName
{
    public const string Uuid = "e83d0b6a-1f47-4c92-a5d8-3b90c7e4126f";
}
