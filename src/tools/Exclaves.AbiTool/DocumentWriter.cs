using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Exclaves.AbiTool;

/// <summary>docs/abi.md: the same tables for people.</summary>
public static class DocumentWriter
{
    private const int HexadecimalFrom = 0x100;

    public static string Write(DispatchModel model)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture,
            $"""
            # Calls between the levels

            Made from `src/contracts/Abi/dispatch.json` by `dotnet run --project src/tools/Exclaves.AbiTool`; so are `Dispatch.cs`, which monitor and kernel compile, and the
            cases of the tests. Version {model.Version}.

            A call of the monitor names its target in x16: domain in bits 55 to 48, table in bits 39 to 32, endpoint in bits 31 to 0; arguments are in x0 to x7, the answer begins in x0.
            Each table has a mask of the domains that may call it. A call that the mask or the table refuses is an error to Linux and fatal to SK: the secure world closes, Linux lives on.


            """);
        Table(text, ["domain", "number", "what"], model.Domains.Select(row => new[] { row.Name, Number(row.Number), row.About }));
        foreach (TableModel table in model.Tables)
        {
            string callers = table.Callers.Count == 0 ? "nobody" : string.Join(", ", table.Callers);
            text.Append(CultureInfo.InvariantCulture, $"## {table.Original} ({Number(table.Number)}): called by {callers}\n\n{table.About}");
            text.Append(table.Arguments == null ? "\n\n" : $" Arguments: {table.Arguments}.\n\n");
            if (table.Functions != null)
            {
                Table(text, ["endpoint", "number", "arguments", "answer", "fatal when wrong", "what it does"], table.Functions.Select(Row));
            }
        }

        text.Append("## The gate into SK\n\nSPTM enters SK with an endpoint in x0; SK answers by RETURN_TO_CALLER with a status in x0.\n\n");
        Table(text, ["endpoint", "number", "arguments", "answer", "", "what it does"], model.Gate.Endpoints.Select(Row));
        Table(text, ["status", "number", "meaning"], model.Gate.Statuses.Select(row => new[] { row.Name, Number(row.Number), row.About }));
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static string[] Row(FunctionModel function) =>
    [
        function.Name, Number(function.Number), function.Arguments ?? "", function.Answers ?? "", function.Fatal ?? "", function.About,
    ];

    private static void Table(StringBuilder text, string[] head, IEnumerable<string[]> rows)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", head)} |\n|{string.Concat(head.Select(_ => "---|"))}\n");
        foreach (string[] row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |\n");
        }

        text.Append('\n');
    }

    private static string Number(uint value) =>
        value < HexadecimalFrom ? value.ToString(CultureInfo.InvariantCulture) : $"0x{value:X8}";
}
