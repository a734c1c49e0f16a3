using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

[InlineArray(ArgumentCopy.MaxParameters)]
public struct ParameterArray
{
    private MessageParameter _first;
}

/// <summary>A whole argument in private memory: copied once, then judged.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ArgumentCopy
{
    public const int MaxParameters = 6;

    public MessageArgument Header;
    public ParameterArray Parameters;
}
