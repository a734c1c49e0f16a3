using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Xunit;

namespace Exclaves.Tightbeam.Tests;

/// <summary>What an interface may become. One row for each mistake, named by what is found.</summary>
public class ContractTests
{
    private const string Base = """
        using System;
        using Exclaves.Abi;
        using Exclaves.Tightbeam;

        namespace Test;

        public enum Kind : byte { None, Red = 1, Green = 2 }
        public enum Mood : byte { Good, Bad = 1 }
        public enum Error : uint { None, Full = 1 }
        public readonly struct Key(uint value, Kind kind) { public uint Value { get; } = value; public Kind Kind { get; } = kind; }

        [Tightbeam(id: 0x11, version: 2)]
        public interface ISample
        {
            [Op(1)] Status Open(uint flags, out Key key);
            [Op(2, Idempotent = true)] Result<Error> Read(Key key, [Max(64)] Span<byte> data, [LengthOf(nameof(data))] out int length);
            [Op(3, Since = 2)] Status Write(Key key, Mood mood, [Utf8, Max(32)] ReadOnlySpan<byte> text, uint? extra);
            [Op(5)] Status Share([Max(4096)] SharedBuffer buffer);
        }
        """;

    public static TheoryData<string, string, string> Rows => new()
    {
        // What to replace, by what, what the message says. Compatible, but the contract is out of date:
        { "version: 2)]", "version: 3)]", "EXT022 version 3 instead of 2" },
        { "[Op(1)] Status Open(uint flags", "[Op(1)] Status Open(uint options", "EXT022 names or order" },
        { "[Op(1)] Status", "[Op(1, Idempotent = true)] Status", "EXT022 names or order" },
        { "Good, Bad = 1 }", "Fine, Bad = 1 }", "EXT022 names or order" },

        // Incompatible, or without the version that it needs.
        { "[Op(5)]", "[Op(4, Since = 3)] Status New(uint a); [Op(5)]", "EXT004 Since = 3" },
        { "None, Full = 1 }", "None, Full = 1, Lost = 2 }", "EXT021 enum Test.Error has a new value 2: raise the version" },
        { "[Op(1)] Status Open(uint flags, out Key key);", "", "EXT021 operation 1 (Open) is gone" },
        { "[Op(5)]", "[Op(6)]", "EXT021 operation 5 (Share) is gone" },
        { "Status Open(", "Status Start(", "EXT021 operation 1 (Open) is now Start: a number is never given to another operation" },
        { "[Op(5)] Status Share([Max(4096)] SharedBuffer buffer);", "[Op(5)] Status Close(Key key);", "EXT021 operation 5 (Share) is now Close" },
        { "Open(uint flags", "Open(ulong flags", "EXT021 operation 1 (Open) was (in uint, out Test.Key, returns Status) and is (in ulong, out Test.Key, returns Status)" },
        { "Open(uint flags, out Key key)", "Open(out Key key, uint flags)", "EXT021 operation 1 (Open) was" },
        { "Open(uint flags, out Key key)", "Open(uint flags)", "EXT021 operation 1 (Open) was" },
        { "Open(uint flags,", "Open(uint flags, uint more,", "EXT021 operation 1 (Open) was" },
        { "[Max(64)] Span", "[Max(65)] Span", "EXT021 operation 2 (Read) was" },
        { "[Max(64)] Span", "[Max(63)] Span", "EXT021 operation 2 (Read) was" },
        { "[Max(4096)] SharedBuffer", "[Max(8192)] SharedBuffer", "EXT021 operation 5 (Share) was" },
        { "[Max(4096)] SharedBuffer", "[Max(4096), Writable] SharedBuffer", "EXT021 operation 5 (Share) was" },
        { "[Utf8, Max(32)]", "[Max(32)]", "EXT021 operation 3 (Write) was" },
        { ", [LengthOf(nameof(data))] out int length", "", "EXT021 operation 2 (Read) was" },
        { "uint? extra", "uint extra", "EXT021 operation 3 (Write) was" },
        { "Result<Error> Read", "Status Read", "EXT021 operation 2 (Read) was" },
        { "[Op(2, Idempotent = true)]", "[Op(2)]", "EXT021 operation 2 (Read) was idempotent" },
        { "[Op(3, Since = 2)]", "[Op(3)]", "EXT021 operation 3 (Write) exists since version 2, not 1" },
        { "version: 2)]", "version: 1)]", "EXT004 Since = 2" },
        { "id: 0x11", "id: 0x12", "EXT021 its id was 0x00000011 and is 0x00000012" },
        { "version: 2)]", "version: 2, CallBytes = 8000)]", "EXT021 a call had 3840 bytes and has 8000" },
        { "[Op(5)]", "[Op(4)] Status New(uint a); [Op(5)]", "EXT021 new operation 4 (New) says Since = 1: version 2 was without it" },
        { "[Op(5)]", "[Op(4, Since = 2)] Status New(uint a); [Op(5)]", "EXT021 new operation 4 (New) says Since = 2: version 2 was without it" },
        { "Key(uint value, Kind kind) { public uint Value", "Key(ulong value, Kind kind) { public ulong Value", "EXT021 struct Test.Key was (uint, Test.Kind) and is (ulong, Test.Kind)" },
        { "Red = 1, Green = 2 }", "Red = 1, Green = 2, Blue = 3 }", "EXT021 enum Test.Kind comes back from operations" },
        { "Red = 1, Green = 2 }", "Red = 1 }", "EXT021 value 2 of enum Test.Kind is gone" },
        { "Red = 1, Green = 2 }", "Red = 1, Green = 3 }", "EXT021 value 2 of enum Test.Kind is gone" },
        { "enum Kind : byte", "enum Kind : ushort", "EXT021 Test.Kind was Byte and is UInt16" },
        { "Good, Bad = 1 }", "Good, Bad = 1, Odd = 2 }", "EXT021 enum Test.Mood has a new value 2: raise the version" },
        { "namespace Test;", "namespace Other;", "EXT021 it was called Test.ISample" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void AChangeIsJudged(string old, string now, string message)
    {
        Assert.Contains(old, Base, StringComparison.Ordinal);
        IReadOnlyList<Diagnostic> found = Compiled.Problems(Base.Replace(old, now, StringComparison.Ordinal), Compiled.Contract(Base), "check");
        (string id, string text) = (message[..6], message[7..]);
        Assert.Contains(found, d => d.Id == id && d.GetMessage().Contains(text, StringComparison.Ordinal));
        Assert.All(found, d => Assert.Equal(id, d.Id));
    }

    [Theory]
    [InlineData("[Op(5)]", "[Op(4, Since = 3)] Status New(uint a); [Op(5)]", "new operation New, version 3 instead of 2")]
    [InlineData("None, Full = 1 }", "None, Full = 1, Lost = 2 }", "version 3 instead of 2")]
    [InlineData("Good, Bad = 1 }", "Good, Bad = 1, Odd = 2 }", "version 3 instead of 2")]
    public void WithANewVersionThereIsRoomForMore(string old, string now, string difference)
    {
        string source = Base.Replace(old, now, StringComparison.Ordinal).Replace("version: 2)]", "version: 3)]", StringComparison.Ordinal);
        Diagnostic found = Assert.Single(Compiled.Problems(source, Compiled.Contract(Base), "check"));
        Assert.Equal("EXT022", found.Id);
        Assert.Contains(difference, found.GetMessage(), StringComparison.Ordinal);
        Assert.Contains("./exclave contract update", found.GetMessage(), StringComparison.Ordinal);

        // And after the update all is well.
        Assert.Empty(Compiled.Problems(source, Compiled.Contract(source), "check"));
    }

    [Fact]
    public void AContractThatIsMissingOrUnreadableIsAnError()
    {
        Assert.Equal("EXT020", Assert.Single(Compiled.Problems(Base, null, "check")).Id);
        Assert.Equal("EXT023", Assert.Single(Compiled.Problems(Base, "nonsense\n", "check")).Id);
        Assert.Equal("EXT023", Assert.Single(Compiled.Problems(Base, "", "check")).Id);
        Assert.Equal("EXT023", Assert.Single(Compiled.Problems(Base, Compiled.Contract(Base).Replace("op 2 ", "op 1 ", StringComparison.Ordinal), "check")).Id);
        Assert.Empty(Compiled.Problems(Base, Compiled.Contract(Base), "check"));
        Assert.Empty(Compiled.Problems(Base, Compiled.Contract(Base).ReplaceLineEndings("\r\n"), "check"));

        // Where nobody asks, nobody compares.
        Assert.Empty(Compiled.Problems(Base, null));
        Assert.Empty(Compiled.Problems(Base, null, "update"));
    }

    [Fact]
    public void AnUpdateBreaksNothingUnlessItIsTold()
    {
        string broken = Base.Replace("Open(uint flags", "Open(ulong flags", StringComparison.Ordinal);
        Assert.Equal("EXT021", Assert.Single(Compiled.Problems(broken, Compiled.Contract(Base), "update")).Id);
        Assert.Empty(Compiled.Problems(broken, Compiled.Contract(Base), "break"));
        Assert.Empty(Compiled.Problems(Base, "nonsense", "update"));
    }

    [Fact]
    public void ADeletedLineOfAContractDoesNotHideWhatItPromised()
    {
        // Whoever edits the contract by hand gets "out of date" or a breach, never silence.
        string contract = Compiled.Contract(Base);
        string[] lines = contract.Split('\n');
        for (int i = 0; i < lines.Length - 1; i++)
        {
            string without = string.Join('\n', lines.Where((_, at) => at != i));
            Assert.NotEmpty(Compiled.Problems(Base, without, "check"));
        }
    }
}
