using System;
using System.IO;
using System.Linq;
using System.Text;
using Exclaves.Cli.Setup;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>Modules come after what they need.</summary>
public sealed class ModuleCatalogTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("exclave-test-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void DependenciesComeFirstAndOnce()
    {
        Make("top.ko", "left,right");
        Make("left.ko", "base-one");
        Make("right.ko", "base_one");
        Make("base-one.ko", "");
        string[] order = [.. new ModuleCatalog(_folder.FullName).Resolve(["top", "left"]).Select(path => Path.GetFileName(path))];
        Assert.Equal(["base-one.ko", "left.ko", "right.ko", "top.ko"], order);
    }

    [Fact]
    public void AModuleThatIsNotThereIsNamed()
    {
        ExclaveException error = Assert.Throws<ExclaveException>(() => new ModuleCatalog(_folder.FullName).Resolve(["optee"]));
        Assert.Contains("'optee'", error.Message);
    }

    [Fact]
    public void WithoutAStatementThereIsNoDependency() => Assert.Empty(ModuleCatalog.ReadDependencies("vermagic=6.1\0name=x\0"u8));

    private void Make(string name, string dependencies) =>
        File.WriteAllBytes(Path.Combine(_folder.FullName, name), Encoding.ASCII.GetBytes($"\u007fELF\0license=GPL\0depends={dependencies}\0name=x\0"));
}
