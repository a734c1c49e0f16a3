using System;
using System.Buffers.Binary;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>A driver of its own: speaks the message protocol past Linux's `optee` module, as a hostile kernel would.</summary>
/// <remarks>Cookies start where no kernel pointer lies, so that they never meet those of Linux's own driver.</remarks>
internal sealed class RawDriver
{
    public const uint CommandOpen = 0;
    public const uint CommandInvoke = 1;
    public const uint CommandClose = 2;
    public const uint CommandRegister = 4;
    public const uint CommandUnregister = 5;
    public const ulong AttributeValueIn = 1;
    public const ulong AttributeValueOut = 2;
    public const ulong AttributeMemoryIn = 5;
    public const ulong AttributeMemoryOut = 6;
    public const ulong AttributeMeta = 0x101;

    /// <summary>Memory that Linux allocated on an upcall, named by its physical address.</summary>
    public const ulong AttributeMemoryAllocated = 0xA;
    public const ulong AttributePageList = 0x20A;
    public const int HeaderBytes = 32;
    public const int ParameterBytes = 32;
    public const uint NoAnswer = 0xDEAD_DEAD;

    private const ulong FirstCookie = 0x0000_4558_0000_0001;

    private readonly AttackDevice _device;
    private ulong _lastCookie = FirstCookie;

    public RawDriver(AttackDevice device)
    {
        _device = device;
        PrivatePage = device.NewPage();
        ListPage = device.NewPage();
        MessagePage = device.NewPage();
        MessageCookie = NewCookie();
    }

    /// <summary>Unregistered page that carries REGISTER and UNREGISTER.</summary>
    public KernelPage PrivatePage { get; }

    public KernelPage ListPage { get; }

    /// <summary>Registered page that carries all other calls, once <see cref="RegisterMessagePage"/> succeeded.</summary>
    public KernelPage MessagePage { get; }

    public ulong MessageCookie { get; }

    /// <summary>The same page as a slot.</summary>
    public MessageSlot Message => new(MessagePage, MessageCookie);

    public AttackDevice Device => _device;

    public ulong NewCookie() => Interlocked.Add(ref _lastCookie, 2);

    /// <summary>Registers <see cref="MessagePage"/>; the answer is the result code.</summary>
    public uint RegisterMessagePage() => RegisterPages(MessageCookie, [MessagePage.Address]);

    /// <summary>Another page for messages, registered.</summary>
    public MessageSlot NewMessage()
    {
        MessageSlot slot = new(_device.NewPage(), NewCookie());
        uint registered = RegisterPages(slot.Cookie, [slot.Page.Address]);
        return registered == Tee.Success ? slot : throw new InvalidOperationException($"a message page is not registered: 0x{registered:x8}");
    }

    /// <param name="offset">Where the buffer starts in its first page; it ends with the last.</param>
    public uint RegisterPages(ulong cookie, ReadOnlySpan<ulong> pages, ulong offset = 0)
    {
        FillList(pages);
        return Register(ListPage.Address | offset, ((ulong)pages.Length * 4096) - offset, cookie);
    }

    /// <summary>REGISTER of these pages in <see cref="PrivatePage"/>, without sending it.</summary>
    public void PrepareRegister(ulong cookie, ReadOnlySpan<ulong> pages)
    {
        FillList(pages);
        Begin(PrivatePage, CommandRegister, 1);
        Parameter(PrivatePage, 0, AttributePageList, ListPage.Address, (ulong)pages.Length * 4096, cookie);
    }

    private void FillList(ReadOnlySpan<ulong> pages)
    {
        ListPage.Bytes.Clear();
        for (int i = 0; i < pages.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(ListPage.Bytes[(i * sizeof(ulong))..], pages[i]);
        }
    }

    /// <summary>REGISTER with every word as the caller says.</summary>
    public uint Register(ulong list, ulong bytes, ulong cookie, ulong attributes = AttributePageList, uint parameterCount = 1)
    {
        Begin(PrivatePage, CommandRegister, parameterCount);
        Parameter(PrivatePage, 0, attributes, list, bytes, cookie);
        return Send(Tee.CallWithRpcArg, PrivatePage.Address >> 32, (uint)PrivatePage.Address, 0, PrivatePage);
    }

    public uint Unregister(ulong cookie)
    {
        Begin(PrivatePage, CommandUnregister, 1);
        Parameter(PrivatePage, 0, AttributeMemoryIn, 0, 0, cookie);
        return Send(Tee.CallWithRpcArg, PrivatePage.Address >> 32, (uint)PrivatePage.Address, 0, PrivatePage);
    }

    public uint Open(ServiceName service, out uint session)
    {
        Begin(MessagePage, CommandOpen, 2);
        Parameter(MessagePage, 0, AttributeMeta, 0, 0, 0);
        Parameter(MessagePage, 1, AttributeMeta, 0, 0, 0);
        _ = service.Uuid.TryWriteBytes(MessagePage.Bytes[(HeaderBytes + 8)..], bigEndian: true, out _);
        uint result = SendRegistered();
        session = BinaryPrimitives.ReadUInt32LittleEndian(MessagePage.Bytes[8..]);
        return result;
    }

    public uint Close(uint session)
    {
        Begin(MessagePage, CommandClose, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(MessagePage.Bytes[8..], session);
        return SendRegistered();
    }

    /// <summary>Prepares an invocation without sending it.</summary>
    public void PrepareInvoke(KernelPage page, uint session, uint operation, uint parameterCount)
    {
        Begin(page, CommandInvoke, parameterCount);
        BinaryPrimitives.WriteUInt32LittleEndian(page.Bytes[4..], operation);
        BinaryPrimitives.WriteUInt32LittleEndian(page.Bytes[8..], session);
    }

    public uint SendRegistered() => Send(Tee.CallWithRegdArg, MessageCookie >> 32, (uint)MessageCookie, 0, MessagePage);

    /// <summary>The call that <see cref="MessagePage"/> describes, up to its first return.</summary>
    public CallResult CallRegistered() => Start(Message);

    /// <summary>The call that a slot's page describes, up to its first return.</summary>
    public CallResult Start(MessageSlot slot) => _device.Call(Tee.CallWithRegdArg, slot.Cookie >> 32, (uint)slot.Cookie, 0);

    /// <summary>Hello computes for so many rounds; the first return is an interrupt when they are many.</summary>
    public CallResult StartSpin(uint session, ulong rounds)
    {
        PrepareSpin(session, rounds);
        return CallRegistered();
    }

    /// <summary>The same in <see cref="MessagePage"/>, without sending it.</summary>
    public void PrepareSpin(uint session, ulong rounds)
    {
        PrepareInvoke(MessagePage, session, (uint)HelloOperation.Spin, 2);
        Parameter(MessagePage, 0, AttributeValueIn, rounds, 0, 0);
        Parameter(MessagePage, 1, AttributeValueOut, 0, 0, 0);
    }

    /// <summary>The same, and x0 to x3 of the call that sends it.</summary>
    public ulong[] SpinWords(uint session, ulong rounds)
    {
        PrepareSpin(session, rounds);
        return [Tee.CallWithRegdArg, MessageCookie >> 32, (uint)MessageCookie, 0];
    }

    /// <summary>What Hello computed.</summary>
    public ulong SpinAnswer() => BinaryPrimitives.ReadUInt64LittleEndian(MessagePage.Bytes[(HeaderBytes + ParameterBytes + 8)..]);

    /// <summary>One yielding call, resumed to its end. The result code of the message, or the register code when it never got there.</summary>
    public uint Send(uint function, ulong x1, ulong x2, ulong x3, KernelPage page)
    {
        CallResult answer = ToEnd(_device.Call(function, x1, x2, x3));
        return answer.X0 == Tee.ReturnOk ? Result(page) : (uint)answer.X0;
    }

    /// <summary>Resumes interrupted calls until something else comes back.</summary>
    public CallResult ToEnd(CallResult answer)
    {
        while (answer.X0 == Tee.RpcForeignInterrupt)
        {
            answer = _device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3);
        }

        return answer;
    }

    public static uint Result(KernelPage page) => BinaryPrimitives.ReadUInt32LittleEndian(page.Bytes[20..]);

    public static void Begin(KernelPage page, uint command, uint parameterCount)
    {
        page.Bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(page.Bytes, command);
        BinaryPrimitives.WriteUInt32LittleEndian(page.Bytes[20..], NoAnswer);
        BinaryPrimitives.WriteUInt32LittleEndian(page.Bytes[28..], parameterCount);
    }

    public static void Parameter(KernelPage page, int index, ulong attributes, ulong first, ulong second, ulong third)
    {
        Span<byte> at = page.Bytes.Slice(HeaderBytes + (index * ParameterBytes), ParameterBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(at, attributes);
        BinaryPrimitives.WriteUInt64LittleEndian(at[8..], first);
        BinaryPrimitives.WriteUInt64LittleEndian(at[16..], second);
        BinaryPrimitives.WriteUInt64LittleEndian(at[24..], third);
    }
}
