using System;
using System.IO;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Client.Tests;

/// <summary>Each way to fail gives one line that names operation, object and reason.</summary>
public partial class ErrorTests
{
    [Fact]
    public void MissingDeviceIsNamed()
    {
        TeeException error = Assert.Throws<TeeException>(() => TeeDevice.Open("/dev/no-such-tee"));
        Assert.Equal(TeeFailure.NoDevice, error.Failure);
        Assert.StartsWith("open /dev/no-such-tee: there is no such device", error.Message);
        Assert.Contains("modprobe optee", error.Message, StringComparison.Ordinal);
    }

    /// <summary>As another user, on this thread alone: root may open everything.</summary>
    [Fact]
    public void ADeviceThatThisUserMayNotOpenSaysWhoMay()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const int Nobody = 65534;
        string path = Path.GetTempFileName();
        File.SetUnixFileMode(path, UnixFileMode.None);
        int user = SetFileSystemUser(Nobody);
        try
        {
            TeeException error = Assert.Throws<TeeException>(() => TeeDevice.Open(path));
            Assert.Equal(TeeFailure.NotPermitted, error.Failure);
            Assert.Equal($"open {path}: permission denied: this user may not open it; do it as root, or let the device's group have this user", error.Message);
        }
        finally
        {
            _ = SetFileSystemUser(user);
            File.Delete(path);
        }
    }

    [Fact]
    public void AServiceThatIsNotThereSaysWhereServicesAreNamed()
    {
        TeeException error = TeeException.FromResult("open service", "x", new TeeResult(Tee.ErrorItemNotFound, Tee.OriginTee), opening: true);
        Assert.Contains("the secure world has no such service (0xffff0008 from the secure world): name it in the system description", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheMonitorsWordIsReadFromTheDeviceTree()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("exclaves-status-");
        try
        {
            Assert.Null(SecureWorldStatus.Read(folder.FullName));
            File.WriteAllBytes(Path.Combine(folder.FullName, "exclaves,status"), [0, 0, 0, 2]);
            Assert.Equal(new SecureWorldStatus(ExclavesStatus.NotStarted, ""), SecureWorldStatus.Read(folder.FullName));
            File.WriteAllBytes(Path.Combine(folder.FullName, "exclaves,status"), [0, 0, 0, 1]);
            File.WriteAllBytes(Path.Combine(folder.FullName, "exclaves,reason"), "TXM faulted\0"u8.ToArray());
            Assert.Equal(new SecureWorldStatus(ExclavesStatus.NotSupported, "TXM faulted"), SecureWorldStatus.Read(folder.FullName));
            File.WriteAllBytes(Path.Combine(folder.FullName, "exclaves,status"), [1]);
            Assert.Null(SecureWorldStatus.Read(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void AnotherDeviceIsRefused()
    {
        TeeException error = Assert.Throws<TeeException>(() => TeeDevice.Open("/dev/null"));
        Assert.Equal(TeeFailure.WrongDevice, error.Failure);
        Assert.Equal("ask the version of /dev/null: it is not a TEE device", error.Message);
    }

    [Theory]
    [InlineData(2, TeeFailure.NoDevice)]
    [InlineData(6, TeeFailure.NoDevice)]
    [InlineData(19, TeeFailure.NoDevice)]
    [InlineData(1, TeeFailure.NotPermitted)]
    [InlineData(13, TeeFailure.NotPermitted)]
    [InlineData(25, TeeFailure.WrongDevice)]
    [InlineData(12, TeeFailure.NoMemory)]
    [InlineData(22, TeeFailure.Kernel)]
    [InlineData(5, TeeFailure.Kernel)]
    public void KernelErrorsBecomeFailures(int errno, TeeFailure failure)
    {
        TeeException error = TeeException.FromErrno("open", "/dev/tee0", errno);
        Assert.Equal(failure, error.Failure);
        Assert.StartsWith("open /dev/tee0: ", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(Tee.ErrorItemNotFound, true, TeeFailure.UnknownService)]
    [InlineData(Tee.ErrorItemNotFound, false, TeeFailure.Refused)]
    [InlineData(Tee.ErrorTargetDead, false, TeeFailure.ServiceEnded)]
    [InlineData(Tee.ErrorTargetDead, true, TeeFailure.ServiceEnded)]
    [InlineData(Tee.ErrorOutOfMemory, false, TeeFailure.NoMemory)]
    [InlineData(Tee.ErrorBadParameters, false, TeeFailure.Refused)]
    [InlineData(0x1234u, false, TeeFailure.Refused)]
    public void ResultsBecomeFailures(uint code, bool opening, TeeFailure failure)
    {
        TeeResult result = new(code, Tee.OriginTee);
        TeeException error = TeeException.FromResult("open service", ServiceName.Hello.ToString(), result, opening);
        Assert.Equal(failure, error.Failure);
        Assert.Equal(code, error.Result.Code);
        Assert.StartsWith($"open service Hello ({Services.Hello}): ", error.Message);
        Assert.Contains($"0x{code:x8} from the secure world", error.Message);
    }

    [Fact]
    public void TheEndOfTheSecureWorldIsToldApart()
    {
        TeeResult driver = new(Tee.ErrorCommunication, Tee.OriginComms);
        TeeException error = TeeException.FromResult("open service", "x", driver, opening: true);
        Assert.Equal(TeeFailure.SecureWorldEnded, error.Failure);
        Assert.StartsWith("open service x: the secure world has ended: ", error.Message);
        TeeResult service = new(Tee.ErrorCommunication, Tee.OriginTrustedApplication);
        Assert.Equal(TeeFailure.Refused, TeeException.FromResult("call y of service", "x", service, opening: false).Failure);
    }

    [Fact]
    public void ThePanicIsReadFromTheMonitorsLog()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "[0.1] SPTM: up\n");
            Assert.Null(PanicLog.Read(path));
            File.AppendAllText(path, "[Exclaves] panic in Entropy: fault\n[Exclaves] cpu 0 pc 0x1\n");
            Assert.Equal("panic in Entropy: fault", PanicLog.Read(path));
            Assert.Null(PanicLog.Read(path + ".absent"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void EveryCodeOfTheAbiHasWords()
    {
        foreach (System.Reflection.FieldInfo field in typeof(Tee).GetFields())
        {
            if (field.Name.StartsWith("Error", StringComparison.Ordinal))
            {
                Assert.NotEqual("unknown reason", new TeeResult((uint)field.GetRawConstantValue()!, 3).Reason);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(int user);
}
