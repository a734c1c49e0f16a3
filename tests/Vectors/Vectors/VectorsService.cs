using Exclaves.Kit;

namespace Exclaves.Vectors;

/// <summary>The conclave: <see cref="IVectors"/>, one <see cref="VectorsSession"/> for each session.</summary>
public sealed class VectorsService() : TightbeamService<IVectors, VectorsDispatcher<IVectors>>(() => new VectorsSession());
