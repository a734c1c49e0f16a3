using System;
using System.CommandLine;
using System.IO;
using Exclaves.Abi;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.ImageTool;
using Exclaves.ImageTool.Layout;
using Exclaves.ImageTool.Signing;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave image`: the one file that boots, made and read back.</summary>
public static class ImageCommand
{
    public static Command Create(Session session) => new("image", "Makes the one file that boots the machine, signs it, or shows what it holds")
    {
        CreateBuild(session),
        CreateSign(session),
        CreateInspect(session, "inspect"),
        CreateScale(session),
    };

    /// <summary>`exclave inspect image`: the same in the other order.</summary>
    public static Command CreateInspectAlias(Session session) => new("inspect", "Shows what a file holds") { CreateInspect(session, "image") };

    private static Command CreateBuild(Session session)
    {
        Option<string> append = new("--append") { Description = "More arguments for the guest's kernel", HelpName = "ARGS", DefaultValueFactory = _ => "" };
        Option<string?> output = new("--out") { Description = "The image to write (out/image/exclaves.Image when left out)", HelpName = "FILE" };
        Option<string?> production = new("--production")
        {
            Description = "Private key (PEM, P-256) that makes it a production image; else your developer key signs",
            HelpName = "FILE",
        };
        Option<FileInfo?> system = MachineOptions.CreateSystem();
        Option<FileInfo?> add = MachineOptions.CreateAdd();
        Command build = new("build", "Makes and signs an image that boots to a shell on its console") { append, production, system, add, output };
        build.SetAction(async (parsed, cancel) =>
        {
            MachineSpec spec = new()
            {
                Append = parsed.GetValue(append)!,
                ProductionKey = parsed.GetValue(production),
                System = parsed.GetValue(system)?.FullName,
                Addition = parsed.GetValue(add)?.FullName,
            };
            GuestPackages packages = await session.Prepare(build: true, cancel, spec);
            string target = Path.GetFullPath(parsed.GetValue(output) ?? session.Workspace.Image);
            SystemImage.Build(session.Workspace, packages, new GuestOrder([], false, ""), spec, target);
            Terminal.Screen.Result($"{session.Workspace.Relative(target)}: {new FileInfo(target).Length / 1024 / 1024} MiB");
            return ExitCode.Success;
        });
        return build;
    }

    private static Command CreateSign(Session session)
    {
        Argument<string?> file = new("IMAGE") { Description = "The image (out/image/exclaves.Image when left out)", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> key = new("--key") { Description = "Private key (PEM, P-256) that signs (out/keys/developer.pem, made on first use, when left out)", HelpName = "FILE" };
        Option<bool> production = new("--production") { Description = "It is a production key: its monitor will refuse what debug keys signed" };
        Option<bool> enroll = new("--enroll") { Description = "Make it the key that the image's monitor trusts; this changes the monitor's own digest" };
        Command sign = new("sign", "Measures an image's parts anew and signs them") { file, key, production, enroll };
        sign.Validators.Add(result =>
        {
            if (result.GetValue(production) && result.GetValue(key) == null)
            {
                result.AddError("--production wants a key of its own: name it with --key.");
            }
        });
        sign.SetAction(parsed =>
        {
            string path = RequireImage(session, parsed.GetValue(file));
            try
            {
                using SigningKey signer = parsed.GetValue(key) is { } named
                    ? SigningKey.Load(named, parsed.GetValue(production) ? SignerKind.Production : SignerKind.Debug)
                    : SigningKey.LoadOrCreateDeveloper(session.Workspace.DeveloperKey);
                Sign(path, signer, parsed.GetValue(enroll));
            }
            catch (ImageToolException error)
            {
                throw new ExclaveException(error.Problems[0].ToString());
            }

            return ExitCode.Success;
        });
        return sign;
    }

    private static void Sign(string path, SigningKey signer, bool enroll)
    {
        if (enroll)
        {
            ImageSigner.Enroll(path, signer);
        }
        else if (!ImageSigner.IsTrusted(path, signer))
        {
            throw new ExclaveException($"The monitor in '{path}' does not trust this key, so it would refuse the image; --enroll makes it the key that it trusts.");
        }

        ImageSigner.Sign(path, signer);
        string kind = signer.Kind == SignerKind.Production ? "production" : "debug";
        Terminal.Screen.Result($"{path}: signed with a {kind} key, log {ExpectedMeasurements.Of(path).Extended}");
    }

    private static string RequireImage(Session session, string? named)
    {
        string path = named ?? session.Workspace.Image;
        return File.Exists(path) ? path : throw new ExclaveException($"There is no image '{path}'; `exclave image build` makes one.");
    }

    private static Command CreateScale(Session session)
    {
        Option<int> conclaves = new("--conclaves") { Description = "Conclaves in all", HelpName = "N", DefaultValueFactory = _ => 64 };
        Option<int> services = new("--services") { Description = "Services in all", HelpName = "N", DefaultValueFactory = _ => 128 };
        Option<string> output = new("--out") { Description = "The system description to write", HelpName = "FILE", Required = true };
        Command scale = new("scale", "Writes a system description with many copies of Hello, for --system of other commands") { conclaves, services, output };
        scale.SetAction(parsed =>
        {
            try
            {
                SystemImage.WriteScale(session.Workspace, parsed.GetValue(conclaves), parsed.GetValue(services), parsed.GetRequiredValue(output));
            }
            catch (ImageToolException error)
            {
                throw new ExclaveException(error.Problems[0].ToString());
            }

            return ExitCode.Success;
        });
        return scale;
    }

    private static Command CreateInspect(Session session, string name)
    {
        Argument<string?> file = new("FILE") { Description = "The image (out/image/exclaves.Image when left out)", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> json = new("--json") { Description = "Print who holds what as JSON" };
        Command inspect = new(name, "Prints an image's tables: what lies where, who holds what, what the monitor will measure") { file, json };
        inspect.SetAction(parsed =>
        {
            string path = RequireImage(session, parsed.GetValue(file));
            try
            {
                if (parsed.GetValue(json))
                {
                    ImageInspector.PrintJson(path, Console.Out);
                }
                else
                {
                    ImageInspector.Print(path, Console.Out);
                }
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
