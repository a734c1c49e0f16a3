using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Exclaves.Cli;
using Exclaves.Cli.Commands;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>gdb on the real image: it stops in each level, knows where it is, and who called.</summary>
public sealed class DebugTests : IDisposable
{
    private const string Commands =
        """
        set pagination off
        tbreak Sptm_Exclaves_Sptm_Image_Boot__StartLinux
        tbreak SecureKernel_Exclaves_SecureKernel_Image_Kernel__Main
        tbreak Hello_Exclaves_Hello_HelloService__Invoke
        continue
        backtrace 4
        continue
        backtrace 4
        continue
        backtrace 4
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("exclaves-debug-").FullName;

    [Fact]
    public async Task TheDebuggerStopsInMonitorKernelAndComponent()
    {
        List<string> said = await Debug("Hello");
        string all = string.Join('\n', said);
        string[] inner = [.. said.Where(line => line.StartsWith("#0 ", StringComparison.Ordinal))];
        string[] places = ["SecureKernel_Exclaves_SecureKernel_Image_Kernel__Main", "Sptm_Exclaves_Sptm_Image_Boot__StartLinux", "Hello_Exclaves_Hello_HelloService__Invoke"];
        Assert.True(inner.Length == 3, all);
        Assert.All(places, place => Assert.Contains(inner, line => line.Contains(place, StringComparison.Ordinal) && line.Contains(".cs:", StringComparison.Ordinal)));
        Assert.Matches(@"#[1-3] .*ServiceServer__(Serve|Run)_0<Hello_Exclaves_Hello_HelloService__Hello_Exclaves_Hello_HelloPeers>", all);
        Assert.Contains("Hello_Exclaves_Hello_Program__Main", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AComponentThatIsNotThereIsAnError()
    {
        ExclaveException error = await Assert.ThrowsAsync<ExclaveException>(() => Debug("Nobody"));
        Assert.Equal("The system has no component 'Nobody'; it has XnuProxy, LogServer, Entropy, Hello, Signer, FrameMint.", error.Message);
    }

    private async Task<List<string>> Debug(string component)
    {
        string script = Path.Combine(_folder, "commands");
        await File.WriteAllTextAsync(script, Commands);
        Session session = new(Workspace.Find(), new Screen { IsQuiet = true });
        List<string> said = [];
        await DebugCommand.Run(session, GuestPackages.TryOpen(session.Workspace)!, new MachineSpec(), component, script, ["exclave-guest", "hello", "--count", "1", "--processes", "1"], said.Add)
            .WaitAsync(TimeSpan.FromMinutes(5));
        return said;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
