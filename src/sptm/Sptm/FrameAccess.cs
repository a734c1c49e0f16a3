namespace Exclaves.Sptm;

/// <summary>What a stage-2 mapping permits.</summary>
[System.Flags]
public enum FrameAccess : byte
{
    None = 0,
    Read = 1,
    Write = 2,
    Execute = 4,
    ReadWrite = Read | Write,
    All = Read | Write | Execute,
}
