using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Exclaves.AbiTool;

/// <summary>Dispatch.cs: the tables as monitor, kernel and tests compile them.</summary>
public static class CodeWriter
{
    private const int HexadecimalFrom = 0x1000;
    private const string UsualHandling = "Yielding";

    public static string Write(DispatchModel model)
    {
        StringBuilder text = new();
        text.Append(
            """
            // Made from dispatch.json by src/tools/Exclaves.AbiTool; edit that file.
            namespace Exclaves.Abi;


            """);
        Enumeration(text, "Domain", "byte", "Who calls: a level of code with borders of its own.", model.Domains);
        Enumeration(text, "DispatchTable", "byte", "Bits 39 to 32 of x16: a table of the monitor's functions.", model.Tables);
        foreach (TableModel table in model.Tables.Where(one => one.Enum != null))
        {
            Enumeration(text, table.Enum!, "uint", $"Endpoints of {table.Original}: bits 31 to 0 of x16. {table.About}", Functions(table));
        }

        Enumeration(text, "GateEndpoint", "ulong", "What SPTM asks of SK, in x0 when SK is entered.", model.Gate.Endpoints);
        Enumeration(text, "GateStatus", "ulong", "SK's answer to a request of the gate, in x0 of RETURN_TO_CALLER.", model.Gate.Statuses);
        WriteDispatch(text, model);
        return text.ToString();
    }

    private static IReadOnlyList<FunctionModel> Functions(TableModel table) => table.Functions ?? [];

    private static void Enumeration(StringBuilder text, string name, string type, string about, IEnumerable<NamedNumber> rows)
    {
        text.Append(CultureInfo.InvariantCulture, $"/// <summary>{Xml(about)}</summary>\npublic enum {name} : {type}\n{{\n");
        text.AppendJoin("\n", rows.Select(row => $"    /// <summary>{Xml(Details(row))}</summary>\n    {row.Name} = {Number(row.Number)},\n"));
        text.Append("}\n\n");
    }

    private static string Details(NamedNumber row) => row is FunctionModel function
        ? string.Join(' ', new[]
        {
            function.Arguments == null ? null : function.Arguments + ".",
            function.About,
            function.Answers == null ? null : $"Answers: {function.Answers}.",
            function.Fatal == null ? null : $"Fatal to the caller: {function.Fatal}.",
        }.Where(part => part != null))
        : row.About;

    private static void WriteDispatch(StringBuilder text, DispatchModel model)
    {
        IEnumerable<TableModel> named = model.Tables.Where(one => !one.Pseudo);
        TableModel linux = model.Tables.Single(one => one.Functions?.Any(function => function.Handling != null) == true);
        text.Append(
            $$"""
            /// <summary>How the monitor serves a call of Linux.</summary>
            public enum XnuCallHandling : byte
            {
                /// <summary>Not in the table: "unknown function".</summary>
                Unknown = 0,

                /// <summary>Answered at once, with no lock: it may come from Linux's interrupt handlers.</summary>
                Fast = 1,

                /// <summary>Fast, and tells that a driver starts afresh.</summary>
                Exchange = 2,

                /// <summary>Fast, asks for a counter.</summary>
                Counter = 3,

                /// <summary>Enters SK.</summary>
                Yielding = 4,

                /// <summary>Enters SK and names a private argument page.</summary>
                YieldingWithPage = 5,
            }

            /// <summary>Who may call what. x16 of a call = domain [55:48] | table [39:32] | endpoint [31:0]; all other bits are zero.</summary>
            public static class Dispatch
            {
                /// <summary>Version of these tables; SPTM and SK must have the same.</summary>
                public const uint Version = {{model.Version}};

                private const int TableShift = 32;
                private const int DomainShift = 48;
                private const ulong TargetBits = 0x00FF_00FF_FFFF_FFFF;

                /// <summary>x16 for a function of the monitor.</summary>
                public static ulong Target(DispatchTable table, uint endpoint) => ((ulong)Domain.Sptm << DomainShift) | ((ulong)table << TableShift) | endpoint;

                public static DispatchTable TableOf(ulong target) => (DispatchTable)(byte)(target >> TableShift);

                public static uint EndpointOf(ulong target) => (uint)target;

                /// <summary>Whether <paramref name="caller"/> may make the call: the monitor is named, the table exists and admits it, the endpoint exists.</summary>
                public static bool IsLegal(Domain caller, ulong target) =>
                    (target & ~TargetBits) == 0
                    && (Domain)(byte)(target >> DomainShift) == Domain.Sptm
                    && ((CallersOf(TableOf(target)) >> (int)caller) & 1) != 0
                    && HasEndpoint(TableOf(target), EndpointOf(target));

                /// <summary>Domains that may name the table: one bit for each.</summary>
                public static uint CallersOf(DispatchTable table) => table switch
                {

            """);
        foreach (TableModel table in model.Tables.Where(one => one.Callers.Count > 0))
        {
            string mask = string.Join(" | ", table.Callers.Select(caller => $"(1u << (int)Domain.{caller})"));
            text.Append(CultureInfo.InvariantCulture, $"        DispatchTable.{table.Name} => {mask},\n");
        }

        text.Append(
            """
                    _ => 0,
                };

                /// <summary>Whether the table holds the endpoint; a pseudo table holds endpoint 0 alone.</summary>
                public static bool HasEndpoint(DispatchTable table, uint endpoint) => table switch
                {

            """);
        foreach (TableModel table in named)
        {
            string rows = string.Join(" or ", Functions(table).Select(function => $"{table.Enum}.{function.Name}"));
            text.Append(CultureInfo.InvariantCulture, $"        DispatchTable.{table.Name} => ({table.Enum})endpoint is {rows},\n");
        }

        string pseudo = string.Join(" or ", model.Tables.Where(one => one.Pseudo).Select(one => $"DispatchTable.{one.Name}"));
        text.Append(CultureInfo.InvariantCulture, $"        {pseudo} => endpoint == 0,\n        _ => false,\n    }};\n\n");
        text.Append("    /// <summary>How a call of Linux with this function id is served.</summary>\n");
        text.Append("    /// <remarks>What nearly every call is comes first: the gate's length is counted in instructions.</remarks>\n");
        text.Append(CultureInfo.InvariantCulture, $"    public static XnuCallHandling HandlingOf({linux.Enum} function) =>\n");
        IGrouping<string?, FunctionModel>[] groups = [.. Functions(linux).GroupBy(function => function.Handling)];
        string usual = string.Join(" or ", groups.Single(group => group.Key == UsualHandling).Select(function => $"{linux.Enum}.{function.Name}"));
        text.Append(CultureInfo.InvariantCulture, $"        function is {usual} ? XnuCallHandling.{UsualHandling} : function switch\n        {{\n");
        foreach (IGrouping<string?, FunctionModel> group in groups.Where(group => group.Key != UsualHandling))
        {
            string rows = string.Join(" or ", group.Select(function => $"{linux.Enum}.{function.Name}"));
            text.Append(CultureInfo.InvariantCulture, $"            {rows} => XnuCallHandling.{group.Key},\n");
        }

        text.Append("            _ => XnuCallHandling.Unknown,\n        };\n}\n");
    }

    private static string Number(uint value) =>
        value < HexadecimalFrom ? value.ToString(CultureInfo.InvariantCulture) : $"0x{value >> 16:X4}_{value & 0xFFFF:X4}";

    private static string Xml(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;");
}
