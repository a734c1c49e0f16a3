using System.Linq;
using Xunit;
using Xunit.Abstractions;

namespace Exclaves.Sptm.Model;

/// <summary>The model sees defects: each of these makes it fail, and says which state must not be.</summary>
[Collection(nameof(ModelRun))]
public class MutationTests
{
    private static readonly Mutation[] Mutations =
    [
        new("neither borrow count nor borrowed type checked", "Retype.cs", """
        if (frame.Type != current || (current == FrameType.XnuDefault && DmaWindow.Contains(address)))
        {
            return Status.Denied;
        }

        if (frame.BorrowCount != 0 || frame.ArgumentCount
""", """
        if (frame.Type != current && frame.Type != FrameType.SkSharedRw)
        {
            return Status.Denied;
        }

        if (frame.ArgumentCount
"""),
        new("stated type not checked", "Retype.cs", "frame.Type != current ||", ""),
        new("argument count not checked", "Retype.cs", "|| frame.ArgumentCount != 0 ", ""),
        new("window of devices not checked", "Retype.cs", "|| (current == FrameType.XnuDefault && DmaWindow.Contains(address))", ""),
        new("reserve of tables not checked", "Retype.cs", " || pool.FreeBytes < Reserve", ""),
        new("alignment not checked", "Retype.cs", "(address & (FrameTable.PageBytes - 1)) != 0 || ", ""),
        new("frame not cleared", "Retype.cs", "        TMachine.ClearPage(address);\n", ""),
        new("cleared before Linux is unmapped", "Retype.cs", "        Set(linux, ref pool, address, FrameAccess.None);\n        Set(secure, ref pool, address, FrameAccess.None);\n        TMachine.ClearPage(address);", "        TMachine.ClearPage(address);\n        Set(linux, ref pool, address, FrameAccess.None);\n        Set(secure, ref pool, address, FrameAccess.None);"),
        new("SK keeps what it gave back", "Retype.cs", "        Set(secure, ref pool, address, FrameAccess.None);\n", ""),
        new("type changed before the old owner lost the frame", "Retype.cs", "        Set(linux, ref pool, address, FrameAccess.None);\n", "        frame.Type = next;\n        Set(linux, ref pool, address, FrameAccess.None);\n"),
        new("new owner mapped before the type changes", "Retype.cs", "        frame.Type = next;\n        Set(secure, ref pool, address, FrameRules.SkAccess(next));", "        Set(secure, ref pool, address, FrameRules.SkAccess(next));\n        frame.Type = next;"),
        new("an edge out of the carve-out", "FrameRules.cs", "        (byte)FrameType.SkSharedRo, (byte)FrameType.XnuDefault, SkCaller | SptmCaller,", "        (byte)FrameType.SkSharedRo, (byte)FrameType.XnuDefault, SkCaller | SptmCaller,\n        (byte)FrameType.SkDefault, (byte)FrameType.XnuDefault, SkCaller,"),
        new("an edge for Linux", "FrameRules.cs", "(byte)FrameType.SkDonated,  (byte)FrameType.XnuDefault, SkCaller | SptmCaller,", "(byte)FrameType.SkDonated,  (byte)FrameType.XnuDefault, SkCaller | SptmCaller | (1 << (int)Domain.Xnu),"),
        new("the caller not checked", "FrameRules.cs", "((Edges[i + 2] >> (int)caller) & 1) != 0", "Edges[i + 2] != 0"),
        new("Linux may write what it may read", "FrameRules.cs", "/* SkSharedRo */ FrameAccess.Read,     FrameAccess.ReadWrite,", "/* SkSharedRo */ FrameAccess.ReadWrite, FrameAccess.ReadWrite,"),
        new("borrowed memory executable", "FrameRules.cs", "/* SkSharedRw */ FrameAccess.All,      FrameAccess.ReadWrite,", "/* SkSharedRw */ FrameAccess.All,      FrameAccess.All,"),
        new("Linux keeps what it donated", "FrameRules.cs", "/* SkDonated  */ FrameAccess.None,     FrameAccess.ReadWrite,", "/* SkDonated  */ FrameAccess.Read,     FrameAccess.ReadWrite,"),
        new("any frame can be borrowed", "FrameRules.cs", "/* Share          */ XnuMemory,", "/* Share          */ ushort.MaxValue,"),
        new("the first return unmaps nothing", "Sharing.cs", "frame.BorrowCount == 1)\n", "frame.BorrowCount == 0)\n"),
        new("every return unmaps", "Sharing.cs", "frame.Type == FrameType.SkSharedRw && frame.BorrowCount == 1", "frame.Type == FrameType.SkSharedRw"),
        new("a failed borrowing still counts", "Sharing.cs", "            _ = FrameRules.Apply(ref frame, FrameOperation.Unshare);\n", ""),
        new("a borrowing counts for nothing", "FrameRules.cs", "        frame.BorrowCount++;\n", ""),
        new("no TLBI for a translation", "Stage2.cs", "                TMachine.Invalidate(_vmid, ipa);\n", ""),
        new("no TLBI for a table", "Stage2.cs", "                TMachine.InvalidateAll(_vmid);\n", ""),
        new("TLBI for one address where a table goes", "Stage2.cs", "TMachine.InvalidateAll(_vmid);", "TMachine.Invalidate(_vmid, ipa);"),
        new("TLBI for the wrong world", "Stage2.cs", "TMachine.Invalidate(_vmid, ipa);", "TMachine.Invalidate((ushort)(3 - _vmid), ipa);"),
        new("TLBI before the break", "Stage2.cs", "            TMachine.WriteEntry(entry, 0);\n", "            TMachine.Invalidate(_vmid, ipa);\n            TMachine.WriteEntry(entry, 0);\n            if ((old & Stage2Descriptor.AccessFlagOfLeaf) != 0)\n            {\n                TMachine.WriteEntry(entry, descriptor);\n                return old;\n            }\n"),
        new("no break", "Stage2.cs", "            TMachine.WriteEntry(entry, 0);\n", ""),
        new("a table given back while a walk can reach it", "Stage2.cs", "        ulong old = Replace(EntryAddress(table, ipa, at), leaf, ipa);\n        Count(table, at, ipa, old, leaf);\n        if (Stage2Descriptor.IsTable(old, at))\n        {\n            Free(ref pool, old, at);\n        }\n", "        ulong old = TMachine.ReadEntry(EntryAddress(table, ipa, at));\n        Count(table, at, ipa, old, leaf);\n        if (Stage2Descriptor.IsTable(old, at))\n        {\n            Free(ref pool, old, at);\n        }\n\n        _ = Replace(EntryAddress(table, ipa, at), leaf, ipa);\n"),
        new("blocks come back too early", "Stage2.cs", "TMachine.Deviations(table) == 0;", "TMachine.Deviations(table) <= 1;"),
        new("a split loses its neighbours", "Stage2.cs", "for (ulong i = 0; i <= IndexMask; i++)\n            {\n                TMachine.WriteEntry(", "for (ulong i = 0; i < IndexMask; i++)\n            {\n                TMachine.WriteEntry("),
        new("write without a named page", "CopyRules.cs", "frames.Entry(linux).ArgumentCount == 0", "false"),
        new("reads of SK's memory as Linux's", "CopyRules.cs", "from is not (FrameType.XnuDefault or FrameType.SkSharedRw)", "from is FrameType.SptmCode"),
    ];

    private readonly ITestOutputHelper _output;

    public MutationTests(ITestOutputHelper output)
    {
        _output = output;
    }

    public static TheoryData<string> Names => [.. Mutations.Select(mutation => mutation.Name)];

    /// <summary>The control: the same compilation without a change has nothing to report.</summary>
    [Theory]
    [InlineData(ModelRun.AmplePool)]
    [InlineData(7)]
    public void WithoutAChangeTheModelHolds(int poolPages) => Assert.Null(MutantAssembly.Run(null, poolPages));

    [Theory]
    [MemberData(nameof(Names))]
    public void AChangedLineIsSeen(string name)
    {
        Mutation mutation = Mutations.Single(one => one.Name == name);
        string? violation = MutantAssembly.Run(mutation, ModelRun.AmplePool) ?? MutantAssembly.Run(mutation, 7) ?? MutantAssembly.Run(mutation, 5);
        Assert.True(violation is not null, $"{name}: not seen");
        _output.WriteLine(violation);
    }

    [Theory]
    [InlineData("NoInvalidate", "may hold")]
    [InlineData("NoInvalidateAll", "the frame is being cleared")]
    [InlineData("LocalInvalidate", "may hold")]
    [InlineData("OtherWorld", "may hold")]
    [InlineData("LateBreak", "may hold")]
    [InlineData("NoBreak", "without a break")]
    [InlineData("NoClear", "not cleared")]
    public void AFaultyMachineIsSeen(string fault, string what)
    {
        ModelViolation violation = Assert.Throws<ModelViolation>(() => ModelRun.Run(ModelRun.AmplePool, fault));
        _output.WriteLine(violation.Message);
        Assert.Contains(what, violation.Message, System.StringComparison.Ordinal);
    }
}
