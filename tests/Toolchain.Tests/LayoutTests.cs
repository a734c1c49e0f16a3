using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Toolchain.Tests;

/// <summary>The linker scripts place images where the Abi says.</summary>
public partial class LayoutTests
{
    [Theory]
    [InlineData("sptm.ld", Virt.SptmBase)]
    [InlineData("sk.ld", 0xFFFF_0000_0000_0000 + Virt.SkBase)]
    [InlineData("component.ld", UserLayout.ComponentBase)]
    [InlineData("txm.ld", Virt.TxmBase)]
    public void AScriptStartsAtItsBase(string script, ulong expected)
    {
        Match match = Base().Match(File.ReadAllText(Tool.Path("eng", script)));
        Assert.True(match.Success);
        Assert.Equal(expected, ulong.Parse(match.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("sptm.ld", Virt.SptmSlotBytes)]
    [InlineData("sk.ld", Virt.SkSlotBytes)]
    public void AScriptKnowsTheSizeOfItsSlot(string script, ulong expected)
    {
        Match match = Slot().Match(File.ReadAllText(Tool.Path("eng", script)));
        Assert.True(match.Success);
        Assert.Equal(expected, ulong.Parse(match.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"__image_base : 0x([0-9A-F]+);")]
    private static partial Regex Base();

    [GeneratedRegex(@"ASSERT\(__image_end - __image_start <= 0x([0-9A-F]+)")]
    private static partial Regex Slot();
}
