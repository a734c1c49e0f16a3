using System.Runtime.CompilerServices;
using Exclaves.Development;
using Exclaves.Kit;

namespace Exclaves.Sdk;

/// <summary>Compiled into a conclave's build for this machine, and into no other: its messages come from the development host.</summary>
internal static class DevelopmentStart
{
    [ModuleInitializer]
    internal static void Register() => ServiceHost.Development = DevelopmentHost.Run;
}
