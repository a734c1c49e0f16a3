using Xunit;

// One machine at a time: each wants all CPUs.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
