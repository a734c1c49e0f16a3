using Exclaves.Abi;

namespace Exclaves.ObjectModel;

/// <summary>A component whose system calls the walk makes. Its IPC page holds a message that is too long to be sent, so no endpoint is really called.</summary>
public interface IWalkSubject
{
    /// <param name="value">What the call leaves in x1.</param>
    Status Call(SecureCall call, ulong x0, ulong x1, ulong x2, ulong x3, ulong x4, out ulong value);

    /// <summary>A word of the component's memory.</summary>
    ulong Load(ulong address);

    void Store(ulong address, ulong value);
}
