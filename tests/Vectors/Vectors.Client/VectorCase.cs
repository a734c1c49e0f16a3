namespace Exclaves.Vectors;

/// <summary>A vector as the service takes it.</summary>
/// <param name="Algorithm">Under this name it is counted.</param>
/// <param name="Expected">The result; null: tag or signature must be found not to be genuine.</param>
public sealed record VectorCase(string Algorithm, Computation Computation, FieldWriter Input, byte[]? Expected);
