namespace Exclaves.ExclaveKit;

/// <summary>What every Linux program expects and no conclave has.</summary>
public enum AbsentThing
{
    Files = 0,
    Network = 1,
    Processes = 2,
}
