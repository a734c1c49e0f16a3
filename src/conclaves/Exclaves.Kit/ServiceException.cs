using System;
using Exclaves.Abi;

namespace Exclaves.Kit;

/// <summary>Ends a call with a GlobalPlatform result code that the client sees.</summary>
public sealed class ServiceException : Exception
{
    public ServiceException(uint result)
        : this(result, $"The service answers 0x{result:X8}.")
    {
    }

    public ServiceException(uint result, string message)
        : base(message) =>
        Result = result == Tee.Success ? Tee.ErrorGeneric : result;

    /// <summary>Never success.</summary>
    public uint Result { get; }
}
