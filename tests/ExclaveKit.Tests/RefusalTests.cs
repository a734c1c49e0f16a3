using System.Runtime.InteropServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>SK refuses one call, each of them once, while a program with threads works: the program is told or the conclave ends, and what goes on is whole.</summary>
public class RefusalTests
{
    private const ulong Handler = 0x1234;
    private const ulong Word = TestKit.Data + 0x100;

    [Fact]
    public void EachRefusalIsAnErrorOrAnEndAndNothingElseBreaks()
    {
        int ended = 0;
        int told = 0;
        for (int at = 0; ; at++)
        {
            TestKit kit = new();
            kit.State.Actions[(int)Signal.Segmentation - 1].Handler = Handler;
            kit.World.RefuseAt = at;
            bool done;
            try
            {
                done = Work(kit);
            }
            catch (ConclaveEnded)
            {
                ended++;
                continue;
            }

            bool refused = kit.World.RefuseAt < 0;
            Assert.True(done || refused);

            // Frames for a group of pages may be refused: one is enough.
            told += done ? 0 : 1;
            kit.World.RefuseAt = -1;
            Assert.True(Work(kit));
            if (!refused) { break; }
        }

        Assert.InRange(ended, 1, 20);
        Assert.InRange(told, 2, 20);
    }

    /// <summary>False as soon as something is refused.</summary>
    private static bool Work(TestKit kit)
    {
        ulong memory = kit.Map(0x4_0000);
        if (Result.IsError(memory) || !kit.Touch(memory, write: true) || kit.Call(LinuxCall.Mprotect, memory, 4096, 1) != 0) { return false; }

        ulong buffer = memory + 0x1_0000;
        if (!kit.Touch(buffer, write: true) || kit.Call(LinuxCall.GetRandom, buffer, 300, 0) != 300) { return false; }

        ulong tid = kit.Clone(stack: memory + 0x4_0000);
        if (Result.IsError(tid) || (int)tid < 0) { return false; }

        kit.RunUntil((uint)tid);
        kit.Call(LinuxCall.Futex, Word, 0x80, 0, 0);
        Assert.Equal(1u, kit.Tid);
        Assert.Equal(1UL, kit.Call(LinuxCall.Futex, Word, 0x81, 1));
        kit.RunUntil((uint)tid);
        kit.Call(LinuxCall.Exit, 0);
        Assert.Equal(1u, kit.Tid);
        return Exchange(kit, buffer) && kit.Call(LinuxCall.Munmap, memory, 0x4_0000) == 0;
    }

    private static bool Exchange(TestKit kit, ulong buffer)
    {
        kit.Put(buffer, new MessageHeader { Label = MessageLabel.Random, Word0 = 40 });
        return !Result.IsError(kit.Call(PersonalityCall.Call, Personality<FakeMachine>.EntropySlot, buffer, 4096))
            && kit.Call(PersonalityCall.Messages, buffer) == Result.Ok;
    }
}
