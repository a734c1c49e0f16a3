using System;
using System.Linq;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>Descriptors and the small calls that describe the system.</summary>
public class FileTests
{
    private const ulong Path = TestKit.Data + 0x300;
    private const ulong Pair = TestKit.Data + 0x380;

    private static ulong Open(TestKit kit, string path, ulong flags = 0)
    {
        kit.Put(Path, Encoding.UTF8.GetBytes(path + "\0"));
        return kit.Call(LinuxCall.Openat, unchecked((ulong)-100L), Path, flags);
    }

    private static ulong Write(TestKit kit, ulong descriptor, string text)
    {
        ulong buffer = TestKit.Data + 0x400;
        kit.Put(buffer, Encoding.UTF8.GetBytes(text));
        return kit.Call(LinuxCall.Write, descriptor, buffer, (ulong)text.Length);
    }

    [Fact]
    public void OutputBecomesLines()
    {
        TestKit kit = new();
        Assert.Equal(5UL, Write(kit, 2, "one\nt"));
        Assert.Equal(9UL, Write(kit, 2, "wo\nthr\u0007ee"));
        Assert.Equal(["one", "two"], kit.World.Log);
        Write(kit, 2, "\n" + new string('x', 300) + "\n");
        Assert.Equal("thr.ee", kit.World.Log[2]);
        Assert.Equal([256, 44], kit.World.Log.Skip(3).Select(l => l.Length));
        Assert.Equal(TestKit.Error(Errno.BadFile), Write(kit, 0, "x"));
        Assert.Equal(TestKit.Error(Errno.BadFile), Write(kit, 9, "x"));
    }

    /// <summary>Nobody knows what a program writes there, so all of it is private. What it says of its parts is its own word.</summary>
    [Fact]
    public void WhereThereIsALogLinesAreItsRecords()
    {
        TestKit kit = new() { World = { HasLog = true } };
        byte[] page = kit.World.MessagePages[0];
        Array.Fill(page, (byte)0xA5);
        Write(kit, 1, "of output\nand ");
        Write(kit, kit.Call(LinuxCall.Dup, 2), "of errors \u000fforged\n");
        Write(kit, 1, "more\n");
        kit.Put(TestKit.Data + 0x400, "user \u000eadmin\u000f"u8);
        Assert.Equal(12UL, kit.Call(PersonalityCall.Log, TestKit.Data + 0x400, 12, (ulong)LogSeverity.Debug));
        kit.Call(500);
        Assert.Equal(
            [
                (LogSeverity.Information, "\u000eof output"), (LogSeverity.Error, "\u000eof errors .forged"), (LogSeverity.Information, "\u000eand more"),
                (LogSeverity.Debug, "user \u000eadmin\u000f"), (LogSeverity.Warning, "exclavekit: unknown call 500"),
            ],
            kit.World.Records);

        // The program's message, if it has one, is as it was.
        Assert.Equal(-1, page.AsSpan().IndexOfAnyExcept((byte)0xA5));

        // The kit's own words are on the console too: it is where an operator looks first.
        Assert.Equal(["exclavekit: unknown call 500"], kit.World.Log);
    }

    /// <summary>Once for each thing: what it is, by which call, and what to do instead.</summary>
    [Fact]
    public void WhatIsNotThereIsRefusedAndExplainedOnce()
    {
        TestKit kit = new();
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(LinuxCall.EpollCreate1));
        Assert.Equal(TestKit.Error(Errno.NoAddressFamily), kit.Call(LinuxCall.Socket, 2, 1, 0));
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(LinuxCall.Connect, 3, 0, 0));
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(LinuxCall.SendMmsg, 3, 0, 0));
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(LinuxCall.Execve));
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(LinuxCall.Clone, 0x11, 0));
        Assert.Equal(TestKit.Error(Errno.ReadOnly), kit.Call(LinuxCall.MkdirAt));
        Assert.Equal(TestKit.Error(Errno.NoEntry), Open(kit, "/data/file"));
        Assert.Collection(
            kit.World.Log,
            line => Assert.Matches(@"^exclavekit: no network here \(epoll_create1\): .* \(Tightbeam\)$", line),
            line => Assert.Matches(@"^exclavekit: no processes here \(execve\): .* \(Tightbeam\)$", line),
            line => Assert.Matches(@"^exclavekit: no files here \(mkdir\): .* \(Tightbeam\), large ones as a SharedBuffer$", line));
    }

    [Theory]
    [InlineData("/etc/hostname")]
    [InlineData("file")]
    [InlineData("/a/path/that/is/longer/than/any/of/those/that/are/there/and/longer/still")]
    public void AFileOfTheProgramIsExplained(string path)
    {
        foreach (LinuxCall call in (LinuxCall[])[LinuxCall.Openat, LinuxCall.NewFstatat, LinuxCall.Faccessat])
        {
            TestKit kit = new();
            kit.Put(Path, Encoding.UTF8.GetBytes(path + "\0"));
            Assert.Equal(TestKit.Error(Errno.NoEntry), kit.Call(call, unchecked((ulong)-100L), Path, 0));
            Assert.StartsWith("exclavekit: no files here (", Assert.Single(kit.World.Log), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/proc/self/cgroup")]
    [InlineData("/sys/fs/cgroup/memory.max")]
    [InlineData("/usr/lib/ssl/openssl.cnf")]
    public void WhatTheRuntimeLooksForByItselfIsNot(string path)
    {
        TestKit kit = new();
        Assert.Equal(TestKit.Error(Errno.NoEntry), Open(kit, path));
        Assert.Empty(kit.World.Log);
    }

    [Fact]
    public void ARecordIsCheckedAndCutOff()
    {
        TestKit kit = new() { World = { HasLog = true } };
        ulong buffer = kit.Map(8192);
        kit.Put(buffer, Encoding.ASCII.GetBytes(new string('r', 5000)));
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(PersonalityCall.Log, buffer, 0, 3));
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(PersonalityCall.Log, buffer, 1, 0));
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(PersonalityCall.Log, buffer, 1, 7));
        Assert.Equal(TestKit.Error(Errno.BadAddress), kit.Call(PersonalityCall.Log, 0x1000, 5, 3));
        Assert.Equal(5000UL, kit.Call(PersonalityCall.Log, buffer, 5000, 3));
        Assert.Equal(LogText.MaxBytes, Assert.Single(kit.World.Records).Text.Length);
    }

    [Fact]
    public void WithoutALogRecordsAreLinesOfTheConsole()
    {
        TestKit kit = new();
        kit.Put(TestKit.Data + 0x400, "a record"u8);
        kit.Call(PersonalityCall.Log, TestKit.Data + 0x400, 8, (ulong)LogSeverity.Debug);
        kit.Call(PersonalityCall.Log, TestKit.Data + 0x400, 8, (ulong)LogSeverity.Debug);
        Assert.Equal(["a record", "a record"], kit.World.Log);
    }

    [Fact]
    public void TheLastWordsAreNotLost()
    {
        TestKit kit = new();
        Write(kit, 2, "no end of line");
        Assert.Throws<ConclaveEnded>(() => kit.Call(LinuxCall.ExitGroup, 1));
        Assert.Equal(["no end of line"], kit.World.Log);
    }

    [Fact]
    public void UrandomIsTheEntropyServiceAndNoByteComesTwice()
    {
        TestKit kit = new();
        ulong descriptor = Open(kit, "/dev/urandom");
        Assert.Equal(3UL, descriptor);
        ulong buffer = kit.Map(4096);
        ulong left = (ulong)kit.State.RandomLeft;
        Assert.Equal(left, kit.Call(LinuxCall.Read, descriptor, buffer, left));
        Assert.Equal(0, kit.State.RandomLeft);
        Assert.All(((ReadOnlySpan<byte>)kit.State.Random).ToArray(), b => Assert.Equal(0, b));
        Assert.Equal(1000UL, kit.Call(LinuxCall.GetRandom, buffer, 1000, 0));
        Assert.Equal(0UL, kit.Call(LinuxCall.Close, descriptor));
        Assert.Equal(TestKit.Error(Errno.BadFile), kit.Call(LinuxCall.Read, descriptor, buffer, 1));
        kit.World.Endpoint = (_, _) => Status.PeerDied;
        Assert.Equal((ulong)(KitState.RandomBytes * 2) - 1000, kit.Call(LinuxCall.GetRandom, buffer, 1000, 0));
        Assert.Equal(TestKit.Error(Errno.TryAgain), kit.Call(LinuxCall.GetRandom, buffer, 1, 0));
    }

    [Fact]
    public void TheStackIsFoundWhereTheLibraryLooks()
    {
        TestKit kit = new();
        ulong descriptor = Open(kit, "/proc/self/maps");
        ulong buffer = kit.Map(4096);
        ulong length = kit.Call(LinuxCall.Read, descriptor, buffer, 4096);
        string line = Encoding.UTF8.GetString(kit.Get(buffer, (int)length));
        Assert.Equal($"{kit.State.StackStart:x12}-{kit.State.StackEnd:x12} rw-p 00000000 00:00 0                          [stack]\n", line);
        Assert.Equal(0UL, kit.Call(LinuxCall.Read, descriptor, buffer, 4096));
    }

    [Theory]
    [InlineData("/proc/meminfo")]
    [InlineData("/sys/devices/system/cpu/possible")]
    [InlineData("/etc/ssl/openssl.cnf")]
    [InlineData("")]
    [InlineData("/proc/self/mapsmapsmapsmapsmapsmapsmapsmapsmapsmapsmapsmapsmapsmapsmapsmaps")]
    public void ThereAreNoFiles(string path) => Assert.Equal(TestKit.Error(Errno.NoEntry), Open(new TestKit(), path));

    [Fact]
    public void DescriptorsAreLimited()
    {
        TestKit kit = new();
        for (ulong i = 3; i < PseudoFileTable.Capacity; i++) { Assert.Equal(i, Open(kit, "/dev/urandom")); }

        Assert.Equal(TestKit.Error(Errno.TooManyFiles), Open(kit, "/dev/urandom"));
        Assert.Equal(TestKit.Error(Errno.TooManyFiles), kit.Call(LinuxCall.Pipe2, Pair, 0));
        Assert.Equal(TestKit.Error(Errno.AccessDenied), Open(kit, "/dev/urandom", flags: 1));
    }

    [Fact]
    public void APipeHandsBytesToAWaitingThread()
    {
        TestKit kit = new();
        Assert.Equal(0UL, kit.Call(LinuxCall.Pipe2, Pair, 0));
        ulong reader = kit.Get<uint>(Pair);
        ulong writer = kit.Get<uint>(Pair + 4);
        ulong buffer = kit.Map(4096);
        uint other = kit.Clone();
        kit.RunUntil(other);
        kit.Call(LinuxCall.Read, reader, buffer, 100);
        Assert.Equal(1u, kit.Tid);
        Assert.Equal(3UL, Write(kit, writer, "abc"));
        kit.RunUntil(other);
        Assert.Equal(3UL, kit.Live.X[0]);
        Assert.Equal("abc"u8.ToArray(), kit.Get(buffer, 3));
        kit.Call(LinuxCall.Read, reader, buffer, 100);
        kit.Call(LinuxCall.Close, writer);
        kit.RunUntil(other);
        Assert.Equal(0UL, kit.Live.X[0]);
        Assert.Equal(0UL, kit.Call(LinuxCall.Close, reader));
        Assert.Equal(0UL, kit.Call(LinuxCall.Pipe2, Pair, 0x800));
        Assert.Equal(TestKit.Error(Errno.TryAgain), kit.Call(LinuxCall.Read, reader, buffer, 100));
    }

    [Fact]
    public void ADuplicateKeepsThePipeOpen()
    {
        TestKit kit = new();
        kit.Call(LinuxCall.Pipe2, Pair, 0x800);
        ulong reader = kit.Get<uint>(Pair);
        ulong writer = kit.Get<uint>(Pair + 4);
        Assert.Equal(10UL, kit.Call(LinuxCall.Fcntl, writer, 1030, 10));
        Assert.Equal(5UL, kit.Call(LinuxCall.Dup, 1));
        Assert.Equal(TestKit.Error(Errno.BadFile), kit.Call(LinuxCall.Dup, 9));
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(LinuxCall.Fcntl, writer, 0, 16));
        ulong buffer = kit.Map(4096);
        Assert.Equal(0UL, kit.Call(LinuxCall.Close, writer));
        Assert.Equal(TestKit.Error(Errno.TryAgain), kit.Call(LinuxCall.Read, reader, buffer, 8));
        Assert.Equal(0UL, kit.Call(LinuxCall.Close, 10));
        Assert.Equal(0UL, kit.Call(LinuxCall.Read, reader, buffer, 8));
    }

    [Fact]
    public void TheQuotaIsAllTheMemoryThereIs()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        Assert.Equal(0UL, kit.Call(LinuxCall.SysInfo, buffer));
        Assert.Equal(kit.State.CommitLimit * 4096, kit.Get<ulong>(buffer + 32));
        Assert.Equal((kit.State.CommitLimit - kit.State.CommittedPages) * 4096, kit.Get<ulong>(buffer + 40));
        Assert.Equal(1u, kit.Get<uint>(buffer + 104));
        Assert.Equal(0UL, kit.Call(LinuxCall.Prlimit64, 0, 3, 0, buffer));
        Assert.Equal(0x8_0000UL, kit.Get<ulong>(buffer));
        Assert.Equal(0UL, kit.Call(LinuxCall.Uname, buffer));
        Assert.Equal((byte)'L', kit.Get<byte>(buffer));
        Assert.Equal(TestKit.Error(Errno.BadAddress), kit.Call(LinuxCall.SysInfo, 0x10));
    }

    [Fact]
    public void DescriptorsDescribeThemselves()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        Assert.Equal(0UL, kit.Call(LinuxCall.Fstat, 1, buffer));
        Assert.Equal(0x2000u, kit.Get<uint>(buffer + 16) & 0xF000);
        Assert.Equal(TestKit.Error(Errno.BadFile), kit.Call(LinuxCall.Fstat, 7, buffer));
        Assert.Equal(TestKit.Error(Errno.NotTerminal), kit.Call(LinuxCall.Ioctl, 1, 0x5401, buffer));
        Assert.Equal(1UL, kit.Call(LinuxCall.Fcntl, 1, 3));
    }
}
