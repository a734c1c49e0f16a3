using System;
using System.CommandLine;
using System.IO;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.ImageTool;
using Exclaves.ImageTool.Layout;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave image`: the one file that boots, made and read back.</summary>
public static class ImageCommand
{
    public static Command Create(Session session) => new("image", "Makes the one file that boots the machine, or shows what it holds")
    {
        CreateBuild(session),
        CreateInspect(session),
    };

    private static Command CreateBuild(Session session)
    {
        Option<string> append = new("--append") { Description = "More arguments for the guest's kernel", HelpName = "ARGS", DefaultValueFactory = _ => "" };
        Option<string?> output = new("--out") { Description = "The image to write (out/image/exclaves.Image when left out)", HelpName = "FILE" };
        Command build = new("build", "Makes an image that boots to a shell on its console") { append, output };
        build.SetAction(async (parsed, cancel) =>
        {
            GuestPackages packages = await session.Prepare(build: true, cancel);
            string target = Path.GetFullPath(parsed.GetValue(output) ?? session.Workspace.Image);
            SystemImage.Build(session.Workspace, packages, new GuestOrder([], false, ""), new MachineSpec { Append = parsed.GetValue(append)! }, target);
            Terminal.Screen.Result($"{session.Workspace.Relative(target)}: {new FileInfo(target).Length / 1024 / 1024} MiB");
            return ExitCode.Success;
        });
        return build;
    }

    private static Command CreateInspect(Session session)
    {
        Argument<string?> file = new("FILE") { Description = "The image (out/image/exclaves.Image when left out)", Arity = ArgumentArity.ZeroOrOne };
        Command inspect = new("inspect", "Prints an image's tables: what lies where, who holds what") { file };
        inspect.SetAction(parsed =>
        {
            string path = parsed.GetValue(file) ?? session.Workspace.Image;
            if (!File.Exists(path))
            {
                throw new ExclaveException($"There is no image '{path}'; `exclave image build` makes one.");
            }

            try
            {
                ImageInspector.Print(path, Console.Out);
            }
            catch (ImageToolException error)
            {
                throw new ExclaveException(error.Problems[0].ToString());
            }

            return ExitCode.Success;
        });
        return inspect;
    }
}
