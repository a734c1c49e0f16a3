using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>What an operation with errors of its own answers: whether the call worked, and what the service said.</summary>
/// <typeparam name="TError">An enum of underlying type uint whose zero is success.</typeparam>
public readonly struct Result<TError>
    where TError : unmanaged
{
    private readonly TError _error;

    private Result(Status status, TError error)
    {
        Status = status;
        _error = error;
    }

    /// <summary>Not Ok: no answer of the service, or it failed without an error of its own.</summary>
    public Status Status { get; }

    /// <summary>Zero is success, if <see cref="Status"/> is Ok.</summary>
    public TError Error => _error;

    public uint Code
    {
        get
        {
            TError error = _error;
            return Unsafe.SizeOf<TError>() == sizeof(uint) ? Unsafe.As<TError, uint>(ref error) : uint.MaxValue;
        }
    }

    public bool Succeeded => Status == Status.Ok && Code == 0;

    public static implicit operator Result<TError>(TError error) => new(Status.Ok, error);

    public static implicit operator Result<TError>(Status status) => new(status, default);

    /// <summary>For generated code: what the wire says.</summary>
    public static Result<TError> FromWire(Status status, uint code) =>
        Unsafe.SizeOf<TError>() == sizeof(uint) ? new(status, Unsafe.As<uint, TError>(ref code)) : new(Status.BadReply, default);
}
