using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Exclaves.Abi;
using Exclaves.RogueKernel;

namespace Exclaves.Attack;

/// <summary>The monitor's own figures, with a kernel behind the gate that does nothing (tests/RogueKernel).</summary>
/// <remarks>
/// Under `-icount shift=0`, as <see cref="Measure"/>. A change of a frame is measured as a pair, there and back, many times within one call of Linux;
/// its figure is the mean of the two, from HVC to return.
/// </remarks>
internal static class MeasureGate
{
    private const int InstructionsPerTick = 16;
    private const ulong Calls = 20_000;
    private const ulong Rounds = 2_000;

    /// <summary>Instructions of rogue_spin and of one round of rogue_repeat beside the calls, and the one of the module's reading.</summary>
    private const int SpinInstructions = 3;
    private const int RoundInstructions = 12;
    private const int ReadingInstructions = 1;

    /// <summary>Of the operand set: x16 of the two calls.</summary>
    private const int FirstTarget = 8;
    private const int SecondOperands = 4;
    private const int SecondTarget = 9;

    private sealed record Figure(string Name, double Value, double? Aim, double? Peer);

    public static int Run(AttackDevice device, bool json)
    {
        if (new RogueKernel(device).Ask(RogueCommand.Ping).X1 != RogueKernel.Magic)
        {
            throw new InvalidOperationException("the secure kernel is not the tests' own: start the machine with --rogue-kernel");
        }

        (ulong page, ulong neighbour) = FindPages(device);
        ulong retype = Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.Retype);
        ulong borrow = Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.Borrow);
        ulong giveBack = Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.Return);
        const ulong Xnu = (ulong)FrameType.XnuDefault;
        const ulong Donated = (ulong)FrameType.SkDonated;
        const ulong Published = (ulong)FrameType.SkSharedRo;

        // A neighbour in SK's hands keeps the block in pages, as a run of donated or registered pages does.
        _ = Pair(device, retype, [neighbour, Donated, Xnu], retype, [neighbour, Xnu, Donated], rounds: 1, mayRefuse: true);
        double share = Pair(device, borrow, [page, 0, 0], giveBack, [page, 0, 0]);
        double donate = Pair(device, retype, [page, Xnu, Donated], retype, [page, Donated, Xnu]);

        // The frame stays donated meanwhile.
        _ = Pair(device, retype, [page, Xnu, Donated], retype, [page, Donated, Published], rounds: 1);
        double change = Pair(device, retype, [page, Published, Donated], retype, [page, Donated, Published]);
        _ = Pair(device, retype, [page, Published, Donated], retype, [page, Donated, Xnu], rounds: 1);
        Figure[] figures =
        [
            new("gate.round_trip", Gate(device), 500, 950),
            new("frame.share", share, null, null),
            new("frame.donate", donate, null, null),
            new("frame.retype", change, null, null),
        ];
        Console.Out.Write(json ? Json(figures) : string.Concat(figures.Select(figure => $"{figure.Name,-20} {figure.Value,8:f0}\n")));
        return 0;
    }

    /// <summary>Two pages of one block above the window of devices.</summary>
    private static (ulong Page, ulong Neighbour) FindPages(AttackDevice device)
    {
        const ulong BlockMask = ~0x1F_FFFFul;
        HashSet<ulong> pages = [];
        for (int i = 0; i < 4096; i++)
        {
            ulong page = device.NewPage().Address;
            if (page >= 0x8000_0000 && pages.FirstOrDefault(other => (other & BlockMask) == (page & BlockMask)) is var neighbour && neighbour != 0)
            {
                return (page, neighbour);
            }

            if (page >= 0x8000_0000)
            {
                pages.Add(page);
            }
        }

        throw new InvalidOperationException("the kernel gives no two pages of one block above 2 GiB");
    }

    /// <summary>From Linux's HVC to its return, through SPTM to the other kernel and back.</summary>
    private static double Gate(AttackDevice device)
    {
        AttackRequest spin = device.Run(AttackKind.TimedCall, Tee.ReturnFromRpc, (ulong)RogueCommand.Spin, 0, 0, 1);
        AttackRequest answer = device.Run(AttackKind.TimedCall, Tee.ReturnFromRpc, 0, 0, 0, Calls);
        if (spin.Out[3] != 0 || answer.Out[3] != 0)
        {
            throw new InvalidOperationException($"the gate was not passed: x0 = {answer.Out[3]:x}");
        }

        double portion = (double)answer.Out[5] / (answer.Out[4] + answer.Out[5]);
        return Math.Round((answer.Out[0] + portion) * InstructionsPerTick) - ReadingInstructions - SpinInstructions;
    }

    /// <summary>Mean instructions of the two calls.</summary>
    private static double Pair(AttackDevice device, ulong first, ReadOnlySpan<ulong> firstOperands, ulong second, ReadOnlySpan<ulong> secondOperands, ulong rounds = Rounds, bool mayRefuse = false)
    {
        for (int i = 0; i < firstOperands.Length; i++)
        {
            Set(device, i, firstOperands[i]);
            Set(device, SecondOperands + i, secondOperands[i]);
        }

        Set(device, FirstTarget, first);
        Set(device, SecondTarget, second);
        RogueAnswer once = new RogueKernel(device).Ask(RogueCommand.Repeat, 1);
        if (!once.IsDone || (once.X1 != 0 && !mayRefuse))
        {
            throw new InvalidOperationException($"a change of a frame was refused: {once}");
        }

        if (rounds == 1)
        {
            return 0;
        }

        ulong none = Ticks(device, 0);
        ulong all = Ticks(device, rounds);
        return Math.Round((((double)(all - none) * InstructionsPerTick / rounds) - RoundInstructions) / 2);
    }

    private static ulong Ticks(AttackDevice device, ulong rounds) =>
        device.Run(AttackKind.TimedCall, Tee.ReturnFromRpc, (ulong)RogueCommand.Repeat, rounds, 0, 1).Out[1];

    private static void Set(AttackDevice device, int operand, ulong value) => new RogueKernel(device).Ask(RogueCommand.Operand, (ulong)operand, value);

    private static string Json(IEnumerable<Figure> figures) => "[\n" + string.Join(",\n", figures.Select(figure => string.Create(
        CultureInfo.InvariantCulture,
        $"  {{\"name\":\"{figure.Name}\",\"value\":{figure.Value},\"unit\":\"instructions\",\"aim\":{Text(figure.Aim)},\"peer\":{Text(figure.Peer)}}}"))) + "\n]\n";

    private static string Text(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "null";
}
