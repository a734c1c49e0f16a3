using System;
using System.Globalization;
using System.Numerics;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>The part of a null call between HVC and return, counted by the module itself.</summary>
/// <remarks>
/// Under `-icount shift=0` one tick of the 62.5 MHz counter is 16 instructions. The module reads the counter right before the HVC and right
/// after it, each time at another phase of the tick, so that calls of L instructions show n or n + 1 ticks as L lies between them: the
/// proportion of the two gives L itself. One instruction is the reading's own. The mean over all calls, interrupted ones included, shows
/// that nothing hides behind the shortest path.
/// </remarks>
internal static class Measure
{
    private const int InstructionsPerTick = 16;
    private const ulong Calls = 20_000;

    public static int Run(AttackDevice device, bool json)
    {
        RawDriver driver = new(device);
        uint registered = driver.RegisterMessagePage();
        uint opened = registered == Tee.Success ? driver.Open(ServiceName.Hello, out uint session) : Fail(registered, out session);
        if (opened != Tee.Success)
        {
            Console.Error.WriteLine($"exclave-attack: cannot prepare a call of Hello: 0x{opened:x8}");
            return 1;
        }

        driver.PrepareInvoke(driver.MessagePage, session, (uint)HelloOperation.Null, 0);
        AttackRequest answer = device.Run(AttackKind.TimedCall, Tee.CallWithRegdArg, driver.MessageCookie >> 32, (uint)driver.MessageCookie, 0, Calls);
        uint result = RawDriver.Result(driver.MessagePage);
        _ = driver.Close(session);
        _ = driver.Unregister(driver.MessageCookie);
        if (answer.Error != 0 || result != Tee.Success)
        {
            Console.Error.WriteLine($"exclave-attack: the timed calls failed: error {answer.Error}, x0 = 0x{answer.Out[3]:x}, result 0x{result:x8}");
            return 1;
        }

        double share = (double)answer.Out[5] / (answer.Out[4] + answer.Out[5]);
        long least = (long)Math.Round((answer.Out[0] + share) * InstructionsPerTick) - 1;
        double mean = (double)answer.Out[1] * InstructionsPerTick / Calls;
        Console.Out.WriteLine(json
            ? $"[\n  {{\"name\":\"downcall.secure.hello\",\"value\":{least},\"unit\":\"instructions\",\"aim\":2000,\"peer\":13800}}\n]"
            : $"downcall.secure.hello: {least} instructions from HVC to return (the peer: 13,800)");
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"mean {mean:f0} over {Calls} calls, {answer.Out[2]} of them interrupted; {answer.Out[4] + answer.Out[5]} took the shortest path"));
        return 0;
    }

    private static uint Fail(uint result, out uint session)
    {
        session = 0;
        return result;
    }
}
