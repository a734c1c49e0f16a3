using System;
using System.Runtime.InteropServices;

namespace Exclaves.ExclaveKit;

/// <remarks>Descriptors: a log, randomness, one line about the stack, and pipes between threads.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const int MaxPathBytes = 64;
    private const int MaxLineBytes = 128;
    private const ulong OpenAccessMask = 3;
    private const ulong OpenNonBlocking = 0x800;
    private const ulong Duplicate = 0;
    private const ulong DuplicateCloseOnExec = 1030;
    private const ulong GetDescriptorFlags = 1;
    private const ulong SetDescriptorFlags = 2;
    private const ulong GetStatusFlags = 3;
    private const ulong SetStatusFlags = 4;
    private const int MaxChunk = 4096;

    private bool IsOpen(ulong descriptor) =>
        descriptor < PseudoFileTable.Capacity && _state.Files[(int)descriptor].Kind != PseudoFileKind.None;

    private ulong WriteFile(ulong descriptor, ulong buffer, ulong bytes)
    {
        if (!IsOpen(descriptor)) { return Result.Of(Errno.BadFile); }

        ref PseudoFile file = ref _state.Files[(int)descriptor];
        if (file.Kind is not (PseudoFileKind.Log or PseudoFileKind.PipeWriter)) { return Result.Of(Errno.BadFile); }

        ulong done = 0;
        while (done < bytes)
        {
            Span<byte> chunk = ((Span<byte>)_state.Scratch)[..(int)Math.Min(bytes - done, MaxChunk)];
            if (!TryRead(buffer + done, chunk)) { return done != 0 ? done : Result.Of(Errno.BadAddress); }

            if (file.Kind == PseudoFileKind.Log)
            {
                (file.Position == PseudoFile.ErrorOutput ? ref _state.Errors : ref _state.Output).Write(chunk, in this);
                done += (ulong)chunk.Length;
                continue;
            }

            ref Pipe pipe = ref _state.Pipes[(int)file.Position];
            if (!pipe.ReaderOpen) { return Result.Of(Errno.BrokenPipe); }

            int taken = pipe.Write(chunk);
            done += (ulong)taken;
            ServePipeReaders((int)file.Position);

            // A full pipe never blocks its writer: nobody here writes more than a few bytes of notice.
            if (taken == 0) { return done != 0 ? done : Result.Of(Errno.TryAgain); }
        }

        return done;
    }

    private ulong WriteVector(ulong descriptor, ulong vectors, ulong count)
    {
        const ulong MaxVectors = 1024;
        if (count > MaxVectors) { return Result.Of(Errno.InvalidArgument); }

        ulong done = 0;
        for (ulong i = 0; i < count; i++)
        {
            if (!TryRead(vectors + (i * 16), out IoVector vector)) { return done != 0 ? done : Result.Of(Errno.BadAddress); }

            ulong result = WriteFile(descriptor, vector.Base, vector.Bytes);
            if (Result.IsError(result)) { return done != 0 ? done : result; }

            done += result;
            if (result < vector.Bytes) { break; }
        }

        return done;
    }

    private ulong ReadFile(ulong descriptor, ulong buffer, ulong bytes)
    {
        if (!IsOpen(descriptor)) { return Result.Of(Errno.BadFile); }

        ref PseudoFile file = ref _state.Files[(int)descriptor];
        switch (file.Kind)
        {
            case PseudoFileKind.Empty: return 0;
            case PseudoFileKind.Random: return FillRandom(buffer, bytes);
            case PseudoFileKind.Maps: return ReadMaps(ref file, buffer, bytes);
            case PseudoFileKind.PipeReader: return ReadPipe(in file, buffer, bytes);
            default: return Result.Of(Errno.BadFile);
        }
    }

    private ulong ReadMaps(ref PseudoFile file, ulong buffer, ulong bytes)
    {
        Span<byte> text = ((Span<byte>)_state.Scratch)[..MaxLineBytes];
        int length = PseudoFile.WriteMaps(text, _state.StackStart, _state.StackEnd);
        int count = (int)Math.Min(bytes, (ulong)(length - (int)file.Position));
        if (!TryWrite(buffer, text.Slice((int)file.Position, count))) { return Result.Of(Errno.BadAddress); }

        file.Position += (uint)count;
        return (ulong)count;
    }

    private ulong ReadPipe(in PseudoFile file, ulong buffer, ulong bytes)
    {
        ref Pipe pipe = ref _state.Pipes[(int)file.Position];
        if (bytes == 0 || (pipe.Length == 0 && !pipe.WriterOpen)) { return 0; }

        if (pipe.Length != 0) { return DrainPipe(ref pipe, buffer, bytes); }

        if (file.NonBlocking) { return Result.Of(Errno.TryAgain); }

        Current.WaitAddress = file.Position;
        Current.Buffer = buffer;
        Current.BufferBytes = bytes;
        BeginWait(ThreadState.Pipe, Clock.Never);
        return Result.Ok;
    }

    private ulong DrainPipe(ref Pipe pipe, ulong buffer, ulong bytes)
    {
        Span<byte> chunk = ((Span<byte>)_state.Scratch)[^Pipe.Capacity..];
        chunk = chunk[..(int)Math.Min(bytes, (ulong)pipe.Length)];
        if (!TryTouch(buffer, (ulong)chunk.Length, Abi.MemoryAccess.Write)) { return Result.Of(Errno.BadAddress); }

        pipe.Read(chunk);
        _machine.Write(buffer, chunk);
        return (ulong)chunk.Length;
    }

    /// <summary>Gives waiting readers what there is, or the end of the pipe.</summary>
    private void ServePipeReaders(int index)
    {
        ref Pipe pipe = ref _state.Pipes[index];
        for (int i = 0; i < _state.ThreadSlots && (pipe.Length != 0 || !pipe.WriterOpen); i++)
        {
            ref KitThread thread = ref _state.Threads[i];
            if (thread.State != ThreadState.Pipe || thread.WaitAddress != (ulong)index) { continue; }

            EndWait(i, pipe.Length == 0 ? 0 : DrainPipe(ref pipe, thread.Buffer, thread.BufferBytes));
        }
    }

    private ulong OpenFile(ulong path, ulong flags)
    {
        if (!TryReadPath(path, out Span<byte> name)) { return Result.Of(Errno.BadAddress); }

        PseudoFileKind kind = PseudoFile.KindOf(name);
        if (kind == PseudoFileKind.None) { return RefuseFile(name, "open"u8); }

        if ((flags & OpenAccessMask) != 0) { return Result.Of(Errno.AccessDenied); }

        int descriptor = FindFreeFile();
        if (descriptor < 0) { return Result.Of(Errno.TooManyFiles); }

        _state.Files[descriptor] = new PseudoFile { Kind = kind };
        return (ulong)descriptor;
    }

    /// <summary>A file that is asked about, and is not there.</summary>
    private ulong MissFile(ulong path, scoped ReadOnlySpan<byte> call) => TryReadPath(path, out Span<byte> name) ? RefuseFile(name, call) : Result.Of(Errno.BadAddress);

    /// <summary>A path of the program, or its start: whatever is longer names nothing that is there.</summary>
    private bool TryReadPath(ulong path, out Span<byte> name)
    {
        Span<byte> room = ((Span<byte>)_state.Scratch)[..MaxPathBytes];
        for (int length = 0; length < room.Length; length++)
        {
            if (!TryRead(path + (ulong)length, room.Slice(length, 1)))
            {
                name = default;
                return false;
            }

            if (room[length] == 0)
            {
                name = room[..length];
                return true;
            }
        }

        name = room;
        return true;
    }

    private int FindFreeFile(int first = 0)
    {
        for (int i = first; i < PseudoFileTable.Capacity; i++)
        {
            if (_state.Files[i].Kind == PseudoFileKind.None) { return i; }
        }

        return -1;
    }

    private ulong CloseFile(ulong descriptor)
    {
        if (!IsOpen(descriptor)) { return Result.Of(Errno.BadFile); }

        PseudoFile file = _state.Files[(int)descriptor];
        _state.Files[(int)descriptor] = default;
        if (IsOpenElsewhere(in file)) { return Result.Ok; }

        if (file.Kind == PseudoFileKind.PipeReader) { _state.Pipes[(int)file.Position].ReaderOpen = false; }

        if (file.Kind == PseudoFileKind.PipeWriter)
        {
            _state.Pipes[(int)file.Position].WriterOpen = false;
            ServePipeReaders((int)file.Position);
        }

        return Result.Ok;
    }

    private bool IsOpenElsewhere(in PseudoFile file)
    {
        for (int i = 0; i < PseudoFileTable.Capacity; i++)
        {
            if (_state.Files[i].Kind == file.Kind && _state.Files[i].Position == file.Position) { return true; }
        }

        return false;
    }

    private ulong MakePipe(ulong address, ulong flags)
    {
        int index = 0;
        while (index < PipeTable.Capacity && !_state.Pipes[index].IsFree) { index++; }

        int reader = FindFreeFile();
        if (index == PipeTable.Capacity || reader < 0) { return Result.Of(Errno.TooManyFiles); }

        bool nonBlocking = (flags & OpenNonBlocking) != 0;
        _state.Files[reader] = new PseudoFile { Kind = PseudoFileKind.PipeReader, Position = (uint)index, NonBlocking = nonBlocking };
        int writer = FindFreeFile();
        if (writer < 0 || !TryWrite(address, (uint)reader | ((ulong)(uint)writer << 32)))
        {
            _state.Files[reader] = default;
            return Result.Of(writer < 0 ? Errno.TooManyFiles : Errno.BadAddress);
        }

        _state.Files[writer] = new PseudoFile { Kind = PseudoFileKind.PipeWriter, Position = (uint)index, NonBlocking = nonBlocking };
        _state.Pipes[index] = new Pipe { ReaderOpen = true, WriterOpen = true };
        return Result.Ok;
    }

    /// <summary>struct stat of arm64 (128 bytes): a character device with nothing in it.</summary>
    private ulong StatFile(ulong descriptor, ulong address)
    {
        const int StatBytes = 128;
        const int ModeOffset = 16;
        const int LinksOffset = 20;
        const int BlockOffset = 56;
        const uint CharacterDevice = 0x2000 | 0x1B6;
        const uint Fifo = 0x1000 | 0x180;
        if (!IsOpen(descriptor)) { return Result.Of(Errno.BadFile); }

        PseudoFileKind kind = _state.Files[(int)descriptor].Kind;
        Span<byte> stat = ((Span<byte>)_state.Scratch)[..StatBytes];
        stat.Clear();
        MemoryMarshal.Write(stat[ModeOffset..], kind is PseudoFileKind.PipeReader or PseudoFileKind.PipeWriter ? Fifo : CharacterDevice);
        MemoryMarshal.Write(stat[LinksOffset..], 1u);
        MemoryMarshal.Write(stat[BlockOffset..], (uint)Page.Bytes);
        return TryWrite(address, stat) ? Result.Ok : Result.Of(Errno.BadAddress);
    }

    private ulong ControlFile(ulong descriptor, ulong command, ulong argument)
    {
        if (!IsOpen(descriptor)) { return Result.Of(Errno.BadFile); }

        ref PseudoFile file = ref _state.Files[(int)descriptor];
        switch (command)
        {
            // Close-on-exec: nothing is ever executed.
            case GetDescriptorFlags or SetDescriptorFlags: return Result.Ok;
            case GetStatusFlags:
                ulong access = file.Kind is PseudoFileKind.Log or PseudoFileKind.PipeWriter ? 1UL : 0;
                return access | (file.NonBlocking ? OpenNonBlocking : 0);
            case SetStatusFlags:
                file.NonBlocking = (argument & OpenNonBlocking) != 0;
                return Result.Ok;
            case Duplicate or DuplicateCloseOnExec: return DuplicateFile(descriptor, argument);
            default: return Result.Of(Errno.InvalidArgument);
        }
    }

    /// <summary>A second number for the same thing, the lowest free one from <paramref name="first"/> on.</summary>
    private ulong DuplicateFile(ulong descriptor, ulong first)
    {
        if (!IsOpen(descriptor)) { return Result.Of(Errno.BadFile); }

        if (first >= PseudoFileTable.Capacity) { return Result.Of(Errno.InvalidArgument); }

        int copy = FindFreeFile((int)first);
        if (copy < 0) { return Result.Of(Errno.TooManyFiles); }

        _state.Files[copy] = _state.Files[(int)descriptor];
        return (ulong)copy;
    }
}
