using Exclaves.Kit;

namespace Exclaves.Samples.Workers;

/// <summary>The conclave: <see cref="IWorkers"/>, one <see cref="WorkersSession"/> for each session.</summary>
public sealed class WorkersService() : TightbeamService<IWorkers, WorkersDispatcher<IWorkers>>(() => new WorkersSession());
