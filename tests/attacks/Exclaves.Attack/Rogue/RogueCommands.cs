using System;
using System.CommandLine;
using System.Globalization;
using Exclaves.Abi;

namespace Exclaves.Attack;

/// <summary>Asks the rogue kernel of tests/RogueKernel: one command is one yielding call.</summary>
internal static class RogueCommands
{
    /// <summary>`exclave-attack rogue COMMAND [X2] [X3]`, numbers hexadecimal: prints x0 to x3 of the answer.</summary>
    public static Command Create()
    {
        Argument<string> command = new("COMMAND");
        Argument<string> second = new("X2") { DefaultValueFactory = _ => "0" };
        Argument<string> third = new("X3") { DefaultValueFactory = _ => "0" };
        Command rogue = new("rogue", "One command to a secure kernel of the tests.") { command, second, third };
        rogue.SetAction(parsed =>
        {
            using AttackDevice device = AttackDevice.Open();
            CallResult result = device.Call(Tee.ReturnFromRpc, Number(parsed.GetValue(command)!), Number(parsed.GetValue(second)!), Number(parsed.GetValue(third)!));
            Console.Out.WriteLine($"{result.X0:x} {result.X1:x} {result.X2:x} {result.X3:x}");
            return 0;
        });
        return rogue;
    }

    private static ulong Number(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
