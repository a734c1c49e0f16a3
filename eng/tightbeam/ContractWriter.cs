using System.Globalization;
using System.Linq;
using System.Text;

namespace Exclaves.Tightbeam.Generator;

/// <summary>An interface as a text to check in: everything that both sides must agree on, and names for readers behind a colon.</summary>
internal static class ContractWriter
{
    public const string FirstLine = "# Contract of a Tightbeam interface. `./exclave contract update` writes it; the build compares it with the interface.";

    public static string Write(InterfaceModel model)
    {
        StringBuilder text = new();
        void Line(string line) => text.Append(line).Append('\n');

        Line(FirstLine);
        Line($"interface {model.FullName}");
        Line($"id 0x{model.Id:X8}");
        Line($"version {model.Version}");
        Line($"call {model.CallBytes}");
        foreach (Operation operation in model.Operations)
        {
            Line("");
            Line($"op {operation.Number} {operation.Name} since {operation.Since}{(operation.IsIdempotent ? " idempotent" : "")}");
            foreach (Parameter parameter in operation.Parameters.Where(p => p.Role != ParameterRole.Length))
            {
                Line($"  {Describe(parameter)} : {parameter.Name.TrimStart('@')}");
            }

            Line($"  returns {operation.Error ?? "Status"}");
        }

        foreach (StructModel structure in model.Structs)
        {
            Line("");
            Line($"struct {structure.Name}");
            foreach (StructField field in structure.Fields)
            {
                Line($"  {field.Type.Contract} : {field.Member}");
            }
        }

        foreach (EnumModel enumeration in model.Enums)
        {
            Line("");
            string uses = string.Concat(
                enumeration.Use.HasFlag(EnumUse.Input) ? " in" : "", enumeration.Use.HasFlag(EnumUse.Output) ? " out" : "", enumeration.Use.HasFlag(EnumUse.Error) ? " error" : "");
            Line($"enum {enumeration.Name} {enumeration.Scalar}{(enumeration.IsFlags ? " flags" : "")}{uses}");
            foreach (EnumMember member in enumeration.Members)
            {
                Line($"  {member.Value.ToString(CultureInfo.InvariantCulture)} : {member.Name}");
            }
        }

        return text.ToString();
    }

    private static string Describe(Parameter parameter) => parameter.Role switch
    {
        ParameterRole.In => $"in {parameter.Type!.Contract}",
        ParameterRole.Out => $"out {parameter.Type!.Contract}",
        ParameterRole.Input => $"in {Element(parameter)} max {parameter.Max}",
        ParameterRole.Output => $"out {Element(parameter)} max {parameter.Max}{(parameter.IsCounted ? " counted" : "")}",
        ParameterRole.SharedRead => $"shared read max {parameter.Max}",
        ParameterRole.SharedWrite => $"shared write max {parameter.Max}",
        ParameterRole.CapabilityIn => "in capability",
        _ => "out capability",
    };

    private static string Element(Parameter parameter) => parameter.IsText ? "text" : $"span {parameter.Type!.Name}";
}
