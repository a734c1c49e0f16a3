using System;
using System.IO;
using System.Linq;
using Exclaves.ImageTool.Description;
using Xunit;

namespace Exclaves.ImageTool.Tests;

/// <summary>Every file of tests/Systems holds one mistake; the message names its place and the rule.</summary>
public class RejectedSystemTests
{
    // File, place in the JSON, part of the rule.
    private static readonly (string File, string Place, string Rule)[] MistakeTable =
    [
        ("not-json", "line 3", "is not JSON"),
        ("root-is-array", "$", "must be an object"),
        ("member-missing", "$", "must have the member \"sk\""),
        ("member-unknown", "$.memory", "is not known here"),
        ("member-twice", "$.sk", "is there twice"),
        ("path-empty", "$.sk", "must be a string that is not empty"),
        ("components-not-array", "$.components", "must be an array"),
        ("component-not-object", "$.components[1]", "must be an object"),
        ("component-member-missing", "$.components[1]", "must have the member \"quota\""),
        ("component-member-unknown", "$.components[1].size", "is not known here"),
        ("component-name-characters", "$.components[1].name", "must be at most 63"),
        ("component-name-long", "$.components[1].name", "must be at most 63"),
        ("component-name-twice", "$.components[2].name", "is the name of another component"),
        ("component-kind-unknown", "$.components[1].kind", "must be \"freestanding\" or \"dotnet\""),
        ("components-too-many", "$.components", "SK's table holds 96"),
        ("proxy-missing", "$.components", "exactly one component with \"proxy\""),
        ("proxy-twice", "$.components", "exactly one component with \"proxy\""),
        ("proxy-not-core", "$.components[0]", "it must be \"core\""),
        ("proxy-dotnet", "$.components[0].kind", "must be \"freestanding\" for the proxy"),
        ("proxy-with-grants", "$.components[0].grants", "must be absent for the proxy"),
        ("log-twice", "$.components", "may have one component with \"log\""),
        ("log-not-core", "$.components[2].log", "must be a freestanding core component"),
        ("log-proxy", "$.components[0].log", "must be a freestanding core component other than the proxy"),
        ("log-threads", "$.components[2].threads", "must be 1 for the log"),
        ("log-with-grants", "$.components[2].grants", "must be absent for the log"),
        ("log-not-boolean", "$.components[2].log", "must be true or false"),
        ("endpoint-log", "$.components[1].grants[0].endpoint", "is the log, whose endpoint everybody has"),
        ("mint-twice", "$.components", "may have one component with \"frameMint\""),
        ("mint-not-core", "$.components[2].frameMint", "must be a freestanding core component"),
        ("mint-proxy", "$.components[0].frameMint", "other than the proxy and the log"),
        ("mint-log", "$.components[2].frameMint", "other than the proxy and the log"),
        ("mint-threads", "$.components[2].threads", "must be 1 for FrameMint"),
        ("mint-with-grants", "$.components[2].grants", "must be absent for FrameMint"),
        ("mint-not-boolean", "$.components[2].frameMint", "must be true or false"),
        ("mint-without-kit", "$.components[2].frameMint", "name its ELF in $.kit"),
        ("endpoint-mint", "$.components[1].grants[0].endpoint", "is FrameMint, which XnuProxy alone calls"),
        ("dotnet-without-mint", "$.components[1].kind", "no component has \"frameMint\""),
        ("grants-and-log-too-many", "$.components[1]", "holds 13 capabilities; 12 fit"),
        ("dotnet-without-kit", "$.components[1].kind", "needs ExclaveKit"),
        ("dotnet-core", "$.components[1].core", "must not be true for a .NET component"),
        ("flag-not-boolean", "$.components[1].core", "must be true or false"),
        ("measurements-not-boolean", "$.components[1].measurements", "must be true or false"),
        ("policy-not-boolean", "$.stopOnPanic", "must be true or false"),
        ("quota-without-unit", "$.components[1].quota", "must be a size"),
        ("quota-unknown-unit", "$.components[1].quota", "must be a size"),
        ("quota-number", "$.components[1].quota", "must be a string"),
        ("quota-zero", "$.components[1].quota", "must be a size"),
        ("donated-not-pages", "$.components[1].donated", "must be a multiple of 4 KiB"),
        ("donated-core", "$.components[1].donated", "is not for a core component"),
        ("lent-core", "$.components[1].lentBuffers", "is not for a core component"),
        ("donated-device", "$.components[1].donated", "is not for a component that programs a device"),
        ("quota-not-pages", "$.components[1].quota", "must be a multiple of 4 KiB"),
        ("quotas-exceed-pool", "$.components", "untyped memory are"),
        ("quotas-exceed-declared-pool", "$.pool", "untyped memory are"),
        ("threads-exceed-pool", "$.pool", "untyped memory are 4100 KiB together; a pool of 16 MiB leaves 4096 KiB after SPTM"),
        ("threads-zero", "$.components[1].threads", "must be a whole number from 1 to 8"),
        ("threads-too-many", "$.components[1].threads", "must be a whole number from 1 to 8"),
        ("threads-string", "$.components[1].threads", "must be a whole number from 1 to 8"),
        ("threads-proxy", "$.components[0].threads", "must be 1 for the proxy"),
        ("threads-dotnet", "$.components[1].threads", "it starts the others itself"),
        ("max-threads-less", "$.components[1].maxThreads", "must not be less than the 4 threads"),
        ("max-threads-too-many", "$.components[1].maxThreads", "must be a whole number from 1 to 64"),
        ("max-threads-proxy", "$.components[0].maxThreads", "must be 1 for the proxy"),
        ("untyped-not-power-of-two", "$.components[2].grants[0].untyped", "must be a power of two"),
        ("untyped-under-a-page", "$.components[2].grants[0].untyped", "must be a multiple of 4 KiB"),
        ("untyped-number", "$.components[2].grants[0].untyped", "must be a string"),
        ("untyped-exceeds-pool", "$.components", "untyped memory are"),
        ("untyped-with-badge", "$.components[2].grants[0].badge", "belongs to endpoints only"),
        ("grant-slot-upcall", "$.components[2].grants[0].slot", "must be a whole number from 2 to 31"),
        ("pool-not-blocks", "$.pool", "must be a multiple of 2 MiB"),
        ("grants-not-array", "$.components[2].grants", "must be an array"),
        ("grant-not-object", "$.components[2].grants[0]", "must be an object"),
        ("grant-without-slot", "$.components[2].grants[0]", "must have the member \"slot\""),
        ("grant-without-kind", "$.components[2].grants[0]", "must have exactly one of"),
        ("grant-of-two-kinds", "$.components[2].grants[0]", "must have exactly one of"),
        ("grant-member-unknown", "$.components[2].grants[0].memory", "is not known here"),
        ("grant-slot-zero", "$.components[2].grants[0].slot", "must be a whole number from 2 to 31"),
        ("grant-slot-own-endpoint", "$.components[2].grants[0].slot", "must be a whole number from 2 to 31"),
        ("grant-slot-too-high", "$.components[2].grants[0].slot", "must be a whole number from 2 to 31"),
        ("grant-slot-fraction", "$.components[2].grants[0].slot", "must be a whole number from 2 to 31"),
        ("grant-slot-taken", "$.components[2].grants[1].slot", "is taken by another grant"),
        ("grants-too-many", "$.components[13]", "capabilities; 12 fit"),
        ("endpoint-unknown", "$.components[2].grants[0].endpoint", "is not a component"),
        ("endpoint-self", "$.components[2].grants[0].endpoint", "would wait for itself"),
        ("endpoint-proxy", "$.components[2].grants[0].endpoint", "is called by nobody"),
        ("endpoint-twice", "$.components[2].grants[1].endpoint", "is granted to this component twice"),
        ("endpoint-circle", "$.components[1].grants", "close a circle of calls: Server -> Client -> Server"),
        ("badge-zero", "$.components[2].grants[0].badge", "must be a whole number from 1"),
        ("badge-not-endpoint", "$.components[2].grants[0].badge", "belongs to endpoints only"),
        ("badge-twice", "$.components[3].grants[0]", "which another caller of it has"),
        ("device-unknown", "$.components[2].grants[0].device", "is not a device"),
        ("device-twice", "$.components[3].grants[0].device", "belongs to another component"),
        ("dma-without-device", "$.components[2].grants", "to a component without a device"),
        ("interrupt-unknown", "$.components[2].grants[1].interrupt", "is not a device with an interrupt"),
        ("interrupt-without-device", "$.components[2].grants", "to a component that does not have the device"),
        ("switch-false", "$.components[2].grants[0].counters", "must be true"),
        ("services-not-array", "$.services", "must be an array"),
        ("services-too-many", "$.services", "the table holds 256"),
        ("service-member-missing", "$.services[0]", "must have the member \"uuid\""),
        ("service-name-twice", "$.services[1].name", "is the name of another service"),
        ("service-uuid-form", "$.services[0].uuid", "must be a UUID"),
        ("service-uuid-nil", "$.services[0].uuid", "must be a UUID"),
        ("service-uuid-twice", "$.services[1].uuid", "is the UUID of another service"),
        ("service-component-unknown", "$.services[0].component", "is not a component"),
        ("service-of-proxy", "$.services[0].component", "is the proxy"),
    ];

    public static TheoryData<string, string, string> Mistakes
    {
        get
        {
            TheoryData<string, string, string> rows = [];
            foreach ((string file, string place, string rule) in MistakeTable)
            {
                rows.Add(file, place, rule);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void AMistakeIsRefused(string name, string place, string rule)
    {
        string file = Path.Combine(Repository.Systems, name + ".json");
        ImageToolException error = Assert.Throws<ImageToolException>(() => SystemReader.Read(file));
        Assert.All(error.Problems, p => Assert.Equal(file, p.File));
        Assert.True(
            error.Problems.Any(p => p.Place == place && p.Rule.Contains(rule, StringComparison.Ordinal)),
            $"Expected {place}: ...{rule}..., got:{Environment.NewLine}{error.Message}");
    }

    [Fact]
    public void EveryFileHasARow()
    {
        string[] files = [.. Directory.EnumerateFiles(Repository.Systems, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];
        Assert.Equal(MistakeTable.Select(m => m.File).Order(StringComparer.Ordinal), files);
    }
}
