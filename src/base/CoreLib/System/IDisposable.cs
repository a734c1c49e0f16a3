namespace System;

/// <summary>What `using` ends. Implement it on structs: an interface-typed value would be dispatch, which has no code here.</summary>
public interface IDisposable
{
    void Dispose();
}

/// <summary>Equality as a constraint on type parameters.</summary>
public interface IEquatable<T>
    where T : allows ref struct
{
    bool Equals(T? other);
}
