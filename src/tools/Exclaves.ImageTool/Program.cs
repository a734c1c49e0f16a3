using System;
using System.CommandLine;
using System.IO;
using Exclaves.Abi;
using Exclaves.ImageTool.Layout;
using Exclaves.ImageTool.Signing;

namespace Exclaves.ImageTool;

/// <summary>The console face of the library: `build` and `inspect image`.</summary>
public static class Program
{
    public static int Main(string[] arguments)
    {
        try
        {
            return CreateRoot().Parse(arguments).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (ImageToolException error)
        {
            foreach (Problem problem in error.Problems)
            {
                Console.Error.WriteLine(problem);
            }

            return 1;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    private static RootCommand CreateRoot() => new("Makes and reads Exclaves images.")
    {
        CreateBuild(),
        new Command("inspect", "Shows what a file holds.") { CreateInspectImage() },
    };

    private static Command CreateBuild()
    {
        Option<string> system = new("--system") { Description = "System description (JSON).", Required = true };
        Option<string> artifacts = new("--artifacts") { Description = "Folder that the description's paths are relative to.", DefaultValueFactory = _ => "out" };
        Option<string> kernel = new("--kernel") { Description = "Linux kernel: an arm64 Image, or one packed with gzip.", Required = true };
        Option<string> initramfs = new("--initramfs") { Description = "Initial file system of Linux.", Required = true };
        Option<string> append = new("--append") { Description = "Kernel command line.", DefaultValueFactory = _ => "" };
        Option<string?> sptm = new("--sptm") { Description = "Another monitor than the description names." };
        Option<string> key = new("--key") { Description = "Private key that signs, PEM, P-256.", Required = true };
        Option<bool> production = new("--production") { Description = "It is a production key: the monitor will refuse debug images." };
        Option<string> output = new("--out") { Description = "The image to write.", Required = true };
        Command build = new("build", "Lays out one bootable arm64 Image.") { system, artifacts, kernel, initramfs, append, sptm, key, production, output };
        build.SetAction(parsed =>
        {
            using SigningKey signer = SigningKey.Load(
                parsed.GetRequiredValue(key), parsed.GetValue(production) ? SignerKind.Production : SignerKind.Debug);
            ImageBuilder.Build(new ImageRequest
            {
                System = parsed.GetRequiredValue(system),
                Artifacts = parsed.GetRequiredValue(artifacts),
                Kernel = parsed.GetRequiredValue(kernel),
                Initramfs = parsed.GetRequiredValue(initramfs),
                BootArguments = parsed.GetRequiredValue(append),
                Sptm = parsed.GetValue(sptm),
                Key = signer,
                Output = parsed.GetRequiredValue(output),
            });
        });
        return build;
    }

    private static Command CreateInspectImage()
    {
        Argument<string> file = new("file") { Description = "An image made by build." };
        Command inspect = new("image", "Prints the tables: what lies where, who holds what.") { file };
        Option<bool> json = new("--json") { Description = "Print who holds what as JSON." };
        inspect.Options.Add(json);
        inspect.SetAction(parsed =>
        {
            if (parsed.GetValue(json))
            {
                ImageInspector.PrintJson(parsed.GetRequiredValue(file), Console.Out);
            }
            else
            {
                ImageInspector.Print(parsed.GetRequiredValue(file), Console.Out);
            }
        });
        return inspect;
    }
}
