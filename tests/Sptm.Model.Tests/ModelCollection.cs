using Xunit;

namespace Exclaves.Sptm.Model;

/// <summary>The model's machine is static, as the monitor's is: one test at a time.</summary>
[CollectionDefinition(nameof(ModelRun), DisableParallelization = true)]
public class ModelCollection;
