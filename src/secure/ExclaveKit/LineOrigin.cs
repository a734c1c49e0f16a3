namespace Exclaves.ExclaveKit;

/// <summary>Who speaks in a line of log.</summary>
public enum LineOrigin : byte
{
    /// <summary>The program, through standard output: nobody knows what is in it, so all of it is private.</summary>
    Program = 0,

    /// <summary>The program, which says itself what is private.</summary>
    Record = 1,

    /// <summary>ExclaveKit about the program: public, and on the console too.</summary>
    Kit = 2,
}
