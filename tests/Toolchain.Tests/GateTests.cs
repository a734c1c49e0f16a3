using System;
using System.IO;
using System.Security.Cryptography;
using Xunit;

namespace Exclaves.Toolchain.Tests;

/// <summary>What must not get into an image does not build, and says why.</summary>
public sealed class GateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("exclaves-gates-").FullName;

    [Theory]
    [InlineData("Allocation", "ilc refused")]
    [InlineData("ArrayCreation", "ilc refused")]
    [InlineData("Boxing", "ilc refused")]
    [InlineData("Delegate", "ilc refused")]
    [InlineData("InterfaceValue", "ilc refused")]
    [InlineData("ReferenceStatic", "ilc refused")]
    [InlineData("Interpolation", "error CS0117: 'string' does not contain a definition for 'Format'")]
    [InlineData("Throwing", "error CS0518: Predefined type 'System.Exception'")]
    [InlineData("FloatingPoint", "error CS0518: Predefined type 'System.Double'")]
    [InlineData("MissingSymbol", "gate 1: undefined symbol nowhere")]
    [InlineData("EagerConstructor", "gate 2: __EagerCctor")]
    [InlineData("OverBudget", "gate 4: ")]
    public void AMistakeIsRefused(string name, string message)
    {
        (int exit, string output) = Tool.BuildCase(name, _folder);
        Assert.NotEqual(0, exit);
        Assert.Contains(message, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Allocation", "Allocation.cs(10,45): error EXC002")]
    [InlineData("ReferenceStatic", "ReferenceStatic.cs(8,28): error EXC003")]
    [InlineData("InterfaceValue", "InterfaceValue.cs(13,36): error EXC005")]
    public void TheCompilerRulesNameTheLine(string name, string message)
    {
        (int exit, string output) = Tool.BuildCase(name, _folder, withRules: true);
        Assert.NotEqual(0, exit);
        Assert.Contains(message, output, StringComparison.Ordinal);
    }

    [Fact]
    public void TwoCleanBuildsAreIdentical()
    {
        byte[] first = BuildAndHash("a");
        byte[] second = BuildAndHash("b");
        Assert.Equal(first, second);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private byte[] BuildAndHash(string name)
    {
        string folder = Path.Combine(_folder, name);
        (int exit, string output) = Tool.BuildCase("None", folder);
        Assert.True(exit == 0, output);
        Assert.Contains("Mistake.None.elf: text ", output, StringComparison.Ordinal);
        return SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "out", "obj", "Mistake.None", "Mistake.None.elf")));
    }
}
