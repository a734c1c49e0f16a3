using Exclaves.Abi;
using Exclaves.RogueKernel;

namespace Exclaves.Attack;

/// <summary>What a last step would bring.</summary>
internal enum LastStepKind
{
    ReadWord,
    ReadDevice,
    WriteWord,
    WriteLog,
    RunData,
    RunLinux,
    Call,
    Firmware,
}

/// <summary>One step of SK that ends the secure world.</summary>
/// <param name="Place">Physical address; 0 = Linux's page, or what SK alone knows.</param>
/// <param name="Operand">x3 of the command.</param>
/// <param name="Target">Of a call: x16.</param>
internal sealed record LastStep(string Name, LastStepKind Kind, RogueCommand Command, ulong Place, ulong Operand = 0, ulong Target = 0)
{
    /// <summary>x2 of the command.</summary>
    public ulong Address(KernelPage page) => Kind switch
    {
        LastStepKind.ReadWord => page.Address + (Command == RogueCommand.Walk ? 0ul : 8),
        LastStepKind.RunLinux => page.Address + 16,
        _ => Place,
    };

    public ulong[] Operands(KernelPage page) => Name switch
    {
        // TXM's only function has the number of SK's retype: taken for that, it would donate the page.
        "sk.call" => [page.Address, (ulong)FrameType.XnuDefault, (ulong)FrameType.SkDonated],
        "sk.retype.edge" => [page.Address, (ulong)FrameType.XnuDefault, (ulong)FrameType.SkCode],

        // What a panic could leave in Linux's x1 to x3.
        _ => [0x1111_5EC2_E711_1111, 0x2222_5EC2_E722_2222, 0x3333_5EC2_E733_3333, 0x4444_5EC2_E744_4444, 0x5555_5EC2_E755_5555],
    };
}
