using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Testing;
using Exclaves.Tightbeam;
using Xunit;
using Xunit.Abstractions;

namespace Exclaves.Vectors.Tests;

/// <summary>The public vectors on this machine, through the loop that the conclave has in the secure world. Boot.Tests runs the same there.</summary>
public class VectorTests(ITestOutputHelper output)
{
    /// <summary>Debian's python3-cryptography-vectors.</summary>
    private const string Folder = "/usr/lib/python3/dist-packages/cryptography_vectors";

    /// <summary>report.txt says which vectors .NET does not do, and why; a change of it is a change of .NET, OpenSSL or the vectors.</summary>
    [Fact]
    public async Task VectorsComeOutAsTheReportSays()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VectorsService());
        using TestSession session = host.Open();
        VectorRun<TestSession> run = new(session);
        run.Run(Folder);
        output.WriteLine(run.Report());
        Assert.InRange(run.Counts.Values.Sum(count => count.Passed), 2000, int.MaxValue);
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "report.txt")), run.Report());

        // What fails was refused: no result is wrong, and nothing that is not genuine is accepted.
        Assert.DoesNotContain(run.Failures, failure => failure.Contains("computed something else", StringComparison.Ordinal) || failure.Contains("accepted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnInputThatIsTooLongIsRefused()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VectorsService());
        using TestSession session = host.Open();
        VectorsClient<TestSession> client = new(session);
        byte[] part = new byte[3072];
        Result<VectorsError> result = client.Append(part);
        for (int i = 1; i < 21; i++)
        {
            Assert.True(result.Succeeded);
            result = client.Append(part);
        }

        Assert.True(result.Succeeded);
        Assert.Equal(VectorsError.TooLong, client.Append(part).Error);
    }

    [Fact]
    public async Task AnInputWithoutTheFieldsIsAnException()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VectorsService());
        using TestSession session = host.Open();
        VectorsClient<TestSession> client = new(session);
        byte[] answer = new byte[64];
        Assert.True(client.Compute(Computation.Hash, new FieldWriter().Add("SHA256").Written, answer, out int bytes, out Outcome outcome).Succeeded);
        Assert.Equal(Outcome.Threw, outcome);
        Assert.Equal("InvalidDataException"u8, answer.AsSpan(0, bytes));
    }

    /// <summary>Without the machine buffers travel as copies in the message.</summary>
    [Fact]
    public async Task BuffersAreTransformed()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VectorsService());
        using TestSession session = host.Open();
        VectorsClient<TestSession> client = new(session);
        byte[] from = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];
        byte[] to = new byte[1000];
        Assert.Equal(Status.Ok, client.Transform(new SharedBuffer(0, 0, from), new SharedBuffer(0, 0, to)));
        Assert.Equal(from.Select(LentByte.Of), to);
        Assert.Equal(Status.BadArgument, client.Transform(new SharedBuffer(0, 0, from), new SharedBuffer(0, 0, to.AsSpan(1))));
    }
}
