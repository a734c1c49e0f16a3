using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>REGISTER and UNREGISTER (tee-abi 1.8): the argument and the page lists lie in memory that is not registered.</summary>
public static class SharedMemory<TSystem> where TSystem : struct, IProxySystem
{
    private const int EntriesPerList = 511;
    private const int ShareChunk = (int)SecureCallArguments.SharePages;
    private const ulong PageMask = UserLayout.PageBytes - 1;

    /// <summary>One argument page, read once.</summary>
    public static Decision Serve(ref ProxyState state, ulong downcall, ulong argument)
    {
        if ((argument & PageMask) != 0 || TSystem.LinuxRead(argument, MessageArgument.Bytes + MessageParameter.Bytes) != Status.Ok)
        {
            state.Malformed++;
            return Decision.Finish(downcall, Tee.ReturnBadAddress);
        }

        MessageArgument header = MemoryMarshal.Read<MessageArgument>(TSystem.Scratch);
        MessageParameter parameter = MemoryMarshal.Read<MessageParameter>(TSystem.Scratch[MessageArgument.Bytes..]);
        uint result = header.ParameterCount != 1 ? Tee.ErrorBadParameters : header.Command switch
        {
            MessageCommand.RegisterShm => Register(ref state, in parameter),
            MessageCommand.UnregisterShm => Unregister(ref state, in parameter),
            _ => Tee.ErrorNotSupported,
        };
        if (result == Tee.ErrorBadParameters || result == Tee.ErrorNotSupported)
        {
            state.Malformed++;
        }

        return Answer(downcall, argument, result);
    }

    /// <summary>Nobody can reach the pages through the window when Linux gets them back. False: a call has some of them with it, which no sound driver asks for.</summary>
    private static bool TryRemove(ref ProxyState state, int index)
    {
        if (TSystem.ShareUnmap(RegistrationTable.WindowOf(index), state.Registrations[index].Pages) != Status.Ok)
        {
            return false;
        }

        state.Registrations.Withdraw(index);
        state.Registrations.Free(index);
        return true;
    }

    /// <summary>Checks that a client's reference lies in a registered buffer.</summary>
    public static bool TryPlace(ref ProxyState state, ulong cookie, ulong offset, ulong bytes, out SharedPlace place)
    {
        place = default;
        int index = state.Registrations.Find(cookie);
        if (index < 0)
        {
            return false;
        }

        ref Registration entry = ref state.Registrations[index];
        if (offset > entry.Bytes || bytes > entry.Bytes - offset)
        {
            return false;
        }

        place.Entry = index + 1;
        place.Generation = entry.Generation;
        place.Address = RegistrationTable.WindowOf(index) + entry.PageOffset + offset;
        place.Bytes = bytes;
        return true;
    }

    /// <summary>Checks that more bytes of the same buffer follow from a place on, and makes them part of it.</summary>
    public static bool TryExtend(ref ProxyState state, ref SharedPlace place, ulong bytes)
    {
        ref Registration entry = ref state.Registrations[place.Entry - 1];
        ulong end = RegistrationTable.WindowOf(place.Entry - 1) + entry.PageOffset + entry.Bytes;
        if (bytes > end - place.Address)
        {
            return false;
        }

        place.Bytes = bytes;
        return true;
    }

    /// <summary>Whether a place that was checked is still registered.</summary>
    public static bool IsValid(ref ProxyState state, in SharedPlace place)
    {
        if (place.Entry == 0)
        {
            return false;
        }

        ref Registration entry = ref state.Registrations[place.Entry - 1];
        return entry.IsLive && entry.Generation == place.Generation;
    }

    private static uint Register(ref ProxyState state, in MessageParameter parameter)
    {
        uint type = (uint)(parameter.Attribute & MessageParameter.TypeMask);
        bool sound = (parameter.Attribute & ~MessageParameter.TypeMask) == MessageParameter.NonContiguous
            && type is MessageParameter.TemporaryInput or MessageParameter.TemporaryOutput or MessageParameter.TemporaryInOut;
        ulong offset = parameter.A & PageMask;
        ulong bytes = parameter.B;
        if (!sound || bytes == 0)
        {
            return Tee.ErrorBadParameters;
        }

        const ulong MaxBytes = RegistrationTable.LargePages * UserLayout.PageBytes;
        if (bytes > MaxBytes || offset + bytes > MaxBytes)
        {
            state.Malformed++;
            return Tee.ErrorOutOfMemory;
        }

        // A live cookie that comes again: Linux has freed the old buffer without saying so (design review 4).
        int old = state.Registrations.Find(parameter.C);
        if (old >= 0 && !TryRemove(ref state, old))
        {
            return Tee.ErrorBusy;
        }

        uint pages = (uint)((offset + bytes + PageMask) / UserLayout.PageBytes);
        int index = state.Registrations.Take(pages);
        if (index < 0)
        {
            return Tee.ErrorOutOfMemory;
        }

        ref Registration entry = ref state.Registrations[index];
        entry.Pages = pages;
        uint result = MapList(RegistrationTable.WindowOf(index), parameter.A & ~PageMask, pages);
        if (result != Tee.Success)
        {
            state.Registrations.Free(index);
            return result;
        }

        entry.PageOffset = (uint)offset;
        entry.Bytes = bytes;
        state.Registrations.Publish(index, parameter.C);
        return Tee.Success;
    }

    /// <summary>Walks exactly as many list pages as the size asks for; each is copied once, so it cannot change under the walk.</summary>
    private static uint MapList(ulong window, ulong list, uint pages)
    {
        uint done = 0;
        while (true)
        {
            if ((list & PageMask) != 0 || TSystem.LinuxRead(list, (int)UserLayout.PageBytes) != Status.Ok)
            {
                return Undo(window, done, Tee.ErrorBadParameters);
            }

            int here = (int)Math.Min(EntriesPerList, pages - done);
            for (int entry = 0; entry < here; entry += ShareChunk)
            {
                int count = Math.Min(ShareChunk, here - entry);
                Status status = TSystem.ShareMap(entry, count, window + (done * UserLayout.PageBytes));
                if (status != Status.Ok)
                {
                    return Undo(window, done, status == Status.NoMemory ? Tee.ErrorOutOfMemory : Tee.ErrorBadParameters);
                }

                done += (uint)count;
            }

            if (done == pages)
            {
                return Tee.Success;
            }

            list = MemoryMarshal.Read<ulong>(TSystem.Scratch[(EntriesPerList * sizeof(ulong))..]);
        }
    }

    private static uint Undo(ulong window, uint done, uint result)
    {
        if (done != 0)
        {
            _ = TSystem.ShareUnmap(window, done);
        }

        return result;
    }

    private static uint Unregister(ref ProxyState state, in MessageParameter parameter)
    {
        if (parameter.Attribute != MessageParameter.RegisteredInput)
        {
            return Tee.ErrorBadParameters;
        }

        int index = state.Registrations.Find(parameter.C);
        if (index < 0)
        {
            return Tee.ErrorBadParameters;
        }

        return TryRemove(ref state, index) ? Tee.Success : Tee.ErrorBusy;
    }

    /// <summary>Result and origin alone go back. A page that cannot be written any more still leaves Linux with an error, by x0.</summary>
    private static Decision Answer(ulong downcall, ulong argument, uint result)
    {
        MemoryMarshal.Write(TSystem.Scratch, in result);
        uint origin = Tee.OriginTee;
        MemoryMarshal.Write(TSystem.Scratch[sizeof(uint)..], in origin);
        bool written = TSystem.LinuxWrite(argument + MessageArgument.ResultOffset, 2 * sizeof(uint)) == Status.Ok;
        return Decision.Finish(downcall, written || result == Tee.Success ? Tee.ReturnOk : Tee.ReturnBadAddress);
    }
}
