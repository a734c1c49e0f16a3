using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Contracts;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave contract update`: the checked-in texts of Tightbeam interfaces.</summary>
public static class ContractCommand
{
    public static Command Create(Session session)
    {
        Option<bool> mayBreak = new("--break") { Description = "Also write a contract that programs built before do not understand" };
        Argument<FileSystemInfo> project = new("PROJECT")
        {
            Description = "Project or folder whose interfaces are meant (this repository's when left out)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        project.AcceptExistingOnly();
        Command update = new("update", "Writes the contract files anew, next to the interfaces, for whoever checks them in") { project, mayBreak };
        update.SetAction((parsed, cancel) => Update(session, parsed.GetValue(project), parsed.GetValue(mayBreak), cancel));
        return new Command("contract", "The contracts of Tightbeam interfaces: what both sides of a service promise") { update };
    }

    private static async Task<int> Update(Session session, FileSystemInfo? named, bool mayBreak, CancellationToken cancel)
    {
        List<string> written = [];
        IEnumerable<string> projects = named is null ? ContractUpdate.FindProjects(session.Workspace.Root) : [named.FullName];
        foreach (string project in projects)
        {
            await session.Screen.Step($"contract: {session.Workspace.Relative(project)}", async () =>
            {
                IReadOnlyList<string> files = await ContractUpdate.Run(session.Workspace, project, mayBreak, cancel);
                written.AddRange(files);
                return files.Count == 0 ? "unchanged" : string.Join(", ", files.Select(session.Workspace.Relative));
            });
        }

        foreach (string file in written)
        {
            Screen.Result(session.Workspace.Relative(file));
        }

        return ExitCode.Success;
    }
}
