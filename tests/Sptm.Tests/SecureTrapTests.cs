using System.Linq;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>What is hidden from the secure world does not exist for it, and ends who tries it; it does not end the secure world.</summary>
public class SecureTrapTests
{
    private static readonly ExceptionClass[] Undefined =
    [
        ExceptionClass.Wait, ExceptionClass.FloatingPoint, ExceptionClass.PointerAuthentication, ExceptionClass.SystemRegister,
        ExceptionClass.Sve, ExceptionClass.Sme,
    ];

    [Fact]
    public void EveryClassHasItsAction()
    {
        foreach (ExceptionClass one in Enumerable.Range(0, 64).Select(value => (ExceptionClass)value))
        {
            SecureTrapAction expected = Undefined.Contains(one) ? SecureTrapAction.Undefined
                : one == ExceptionClass.Breakpoint ? SecureTrapAction.Breakpoint
                : SecureTrapAction.Fatal;
            Assert.Equal(expected, SecureTrapPolicy.Decide(one));
        }
    }

    [Theory]
    [InlineData(0ul, 0x400)]
    [InlineData(5ul, 0x200)]
    public void ABreakpointArrivesAsEl1WouldHaveTakenIt(ulong state, ulong vector)
    {
        const ulong Brk = (0x3Cul << 26) | (1ul << 25) | 0x1234;
        El1Exception taken = AbortPolicy.InjectBreakpoint(new Syndrome(Brk), 0x4000, state, 0x8000_0000, 1ul << 23);
        Assert.Equal((Brk, 0x4000ul, state, 0x8000_0000 + vector), (taken.Syndrome, taken.ReturnAddress, taken.SavedState, taken.ProgramCounter));
    }
}
