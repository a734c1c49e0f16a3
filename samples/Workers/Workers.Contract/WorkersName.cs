namespace Exclaves.Samples.Workers;

/// <summary>The service's name in the secure world, as system.json declares it.</summary>
public static class WorkersName
{
    public const string Uuid = "9b54e2c7-60ad-4f18-8e33-d1a7c05f92b8";
}
