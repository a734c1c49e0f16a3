using System.Text;
using Exclaves.Cli.Machine;

namespace Exclaves.Boot.Tests;

/// <summary>What a run of the machine left.</summary>
internal sealed record GuestResult(GuestOutcome Outcome, byte[] Output, string Errors, string Console)
{
    public string Text => Encoding.UTF8.GetString(Output);
}
