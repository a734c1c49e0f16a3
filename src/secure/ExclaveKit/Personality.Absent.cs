using System;

namespace Exclaves.ExclaveKit;

/// <remarks>What is not there: the program gets an error at once, and the first time the log says what to do instead.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    /// <summary>Answers calls of the network, of processes and of files that change something. False: the call is none of these.</summary>
    private bool TryRefuseAbsent(LinuxCall number, out ulong result)
    {
        (AbsentThing thing, Errno error) = number switch
        {
            LinuxCall.Socket => (AbsentThing.Network, Errno.NoAddressFamily),
            LinuxCall.EpollCreate1 or LinuxCall.EpollCtl or LinuxCall.EpollPwait => (AbsentThing.Network, Errno.NoSystemCall),
            >= LinuxCall.SocketPair and <= LinuxCall.RecvMsg or LinuxCall.Accept4 or LinuxCall.RecvMmsg or LinuxCall.SendMmsg => (AbsentThing.Network, Errno.NoSystemCall),
            LinuxCall.Execve or LinuxCall.ExecveAt or LinuxCall.Wait4 or LinuxCall.WaitId => (AbsentThing.Processes, Errno.NoSystemCall),
            LinuxCall.MkdirAt or LinuxCall.UnlinkAt or LinuxCall.SymlinkAt or LinuxCall.LinkAt or LinuxCall.RenameAt or LinuxCall.RenameAt2 => (AbsentThing.Files, Errno.ReadOnly),
            LinuxCall.InotifyInit1 => (AbsentThing.Files, Errno.NoSystemCall),
            _ => (default, Errno.None),
        };
        result = error == Errno.None ? Result.Ok : RefuseAbsent(thing, NameOf(number), error);
        return error != Errno.None;
    }

    /// <remarks>A line of the console holds no more than this.</remarks>
    private ulong RefuseAbsent(AbsentThing thing, scoped ReadOnlySpan<byte> call, Errno error)
    {
        uint bit = 1u << (int)thing;
        if ((_state.ReportedAbsent & bit) == 0)
        {
            _state.ReportedAbsent |= bit;
            ReadOnlySpan<byte> what = thing switch
            {
                AbsentThing.Network => "no network"u8,
                AbsentThing.Processes => "no processes"u8,
                _ => "no files"u8,
            };
            ReadOnlySpan<byte> instead = thing switch
            {
                AbsentThing.Network => "): a Linux program holds the connection and calls (Tightbeam)"u8,
                AbsentThing.Processes => "): a Linux program starts them and calls (Tightbeam)"u8,
                _ => "): pass contents in a call (Tightbeam), large ones as a SharedBuffer"u8,
            };
            _state.Notice.Write("exclavekit: "u8, in this);
            _state.Notice.Write(what, in this);
            _state.Notice.Write(" here ("u8, in this);
            _state.Notice.Write(call, in this);
            _state.Notice.Write(instead, in this);
            _state.Notice.Flush(in this);
        }

        return Result.Of(error);
    }

    /// <summary>"No such file", with a word about it unless it is one that the runtime and its libraries look for by themselves, and do without.</summary>
    private ulong RefuseFile(scoped ReadOnlySpan<byte> path, scoped ReadOnlySpan<byte> call)
    {
        bool isOfRuntime = path.Length == 0 || path.StartsWith("/proc/"u8) || path.StartsWith("/sys/"u8) || path.StartsWith("/dev/"u8) || path.StartsWith("/usr/"u8)
            || path.StartsWith("/lib"u8) || path.StartsWith("/etc/ssl"u8) || path.StartsWith("/etc/localtime"u8) || path.StartsWith("/etc/ld."u8);
        return isOfRuntime ? Result.Of(Errno.NoEntry) : RefuseAbsent(AbsentThing.Files, call, Errno.NoEntry);
    }

    private static ReadOnlySpan<byte> NameOf(LinuxCall number) => number switch
    {
        LinuxCall.EpollCreate1 => "epoll_create1"u8,
        LinuxCall.EpollCtl or LinuxCall.EpollPwait => "epoll"u8,
        LinuxCall.Socket => "socket"u8,
        LinuxCall.SocketPair => "socketpair"u8,
        LinuxCall.Bind => "bind"u8,
        LinuxCall.Listen => "listen"u8,
        LinuxCall.Connect => "connect"u8,
        LinuxCall.Execve or LinuxCall.ExecveAt => "execve"u8,
        LinuxCall.Wait4 or LinuxCall.WaitId => "wait"u8,
        LinuxCall.MkdirAt => "mkdir"u8,
        LinuxCall.UnlinkAt => "unlink"u8,
        LinuxCall.SymlinkAt or LinuxCall.LinkAt => "link"u8,
        LinuxCall.RenameAt or LinuxCall.RenameAt2 => "rename"u8,
        LinuxCall.InotifyInit1 => "inotify"u8,
        _ => "a call on a socket"u8,
    };
}
