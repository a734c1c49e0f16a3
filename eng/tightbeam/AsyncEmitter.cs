using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Tightbeam.Generator;

/// <summary>The client for threads that do not wait: ordinary .NET alone. Operations with capabilities are left out: on Linux there are none.</summary>
internal sealed class AsyncEmitter(InterfaceModel model, SourceWriter w)
{
    private const string Runtime = "global::Exclaves.Tightbeam.";
    private const string Task = "global::System.Threading.Tasks.Task";

    private readonly string _wire = model.ShortName + "Wire";

    public void Emit()
    {
        w.Line($"/// <summary>Calls a service of <see cref=\"{model.Name}\"/> without waiting. Several calls may be under way.</summary>");
        w.Open($"{model.Accessibility} sealed class {model.ShortName}AsyncClient({Runtime}IAsyncTransport transport)");
        w.Line($"private readonly {Runtime}IAsyncTransport __transport = transport;");
        w.Line();
        foreach (Operation operation in model.Operations.Where(o => !o.Of(ParameterRole.CapabilityIn, ParameterRole.CapabilityOut).Any()))
        {
            EmitCall(operation);
        }

        w.Close();
        w.Line();
    }

    private void EmitCall(Operation operation)
    {
        Parameter[] results = [.. operation.Of(ParameterRole.Out, ParameterRole.Length)];
        List<string> parameters = [.. operation.Parameters.Select(Declare).OfType<string>()];
        parameters.Add($"{Runtime}Deadline deadline = default");
        parameters.Add("global::System.Threading.CancellationToken cancellationToken = default");

        w.Line($"/// <exception cref=\"{Runtime}TightbeamException\">The service refused or failed, or no answer came.</exception>");
        w.Open($"public async {TaskOf(results)} {operation.Name}Async({Emitter.Arguments(parameters)})");
        foreach (Parameter p in operation.Of(ParameterRole.Output).Where(p => p.IsCounted))
        {
            w.Line($"{p.Name} = {p.Name}.Length > {p.Max} ? {p.Name}.Slice(0, {p.Max}) : {p.Name};");
        }

        string label = $"\"{operation.Name} of {model.Name}\"";
        w.Line($"using {Runtime}MessageBuffer __buffer = {Runtime}MessageBuffer.Rent({operation.MaxRequestBytes}, {operation.MaxResponseBytes});");
        List<string> encoded = ["__buffer.Request.Span"];
        encoded.AddRange(operation.Parameters.Select(p => p.Role == ParameterRole.Input ? p.Name + ".Span" : Emitter.EncoderArgument(p)).OfType<string>());
        encoded.Add("out int __bytes");
        w.Line($"{Runtime}TightbeamException.ThrowIfFailed({_wire}.Encode{operation.Name}({Emitter.Arguments(encoded)}), 0, {label}, default);");
        w.Line($"{Runtime}AsyncAttachments __attachments = default;");
        foreach (Parameter p in operation.Of(ParameterRole.SharedRead, ParameterRole.SharedWrite))
        {
            w.Line($"__attachments = __attachments.{(p.Role == ParameterRole.SharedRead ? "Read" : "Write")}({p.Name});");
        }

        w.Line("int __answered = await __transport.CallAsync(__buffer.Request.Slice(0, __bytes), __buffer.Response, __attachments, deadline, cancellationToken).ConfigureAwait(false);");
        List<string> decoded = ["__buffer.Response.Span.Slice(0, __answered)"];
        decoded.AddRange(operation.Parameters.Select(p => p.Role switch
        {
            ParameterRole.Out => $"out {p.Type!.Source} {p.Name}",
            ParameterRole.Length => $"out int {p.Name}",
            ParameterRole.Output => p.Name + ".Span",
            _ => null,
        }).OfType<string>());
        decoded.Add("out uint __error");
        w.Line($"global::Exclaves.Abi.Status __status = {_wire}.Decode{operation.Name}({Emitter.Arguments(decoded)});");
        w.Line($"{Runtime}TightbeamException.ThrowIfFailed(__status, __error, {label}, __status == global::Exclaves.Abi.Status.BadReply ? default : __buffer.Response.Span.Slice(0, __answered));");
        if (results.Length != 0)
        {
            w.Line($"return {(results.Length == 1 ? results[0].Name : $"({Emitter.Arguments(results.Select(r => r.Name))})")};");
        }

        w.Close();
        w.Line();
    }

    private static string TaskOf(Parameter[] results) => results.Length switch
    {
        0 => Task,
        1 => $"{Task}<{TypeOf(results[0])}>",
        _ => $"{Task}<({Emitter.Arguments(results.Select(r => $"{TypeOf(r)} {r.Name}"))})>",
    };

    private static string TypeOf(Parameter result) => result.Role == ParameterRole.Length ? "int" : result.Type!.Source;

    private static string? Declare(Parameter parameter) => parameter.Role switch
    {
        ParameterRole.In => $"{parameter.Type!.Source} {parameter.Name}",
        ParameterRole.Input => $"global::System.ReadOnlyMemory<{parameter.Type!.Name}> {parameter.Name}",
        ParameterRole.Output => $"global::System.Memory<{parameter.Type!.Name}> {parameter.Name}",
        ParameterRole.SharedRead => $"global::System.ReadOnlyMemory<byte> {parameter.Name}",
        ParameterRole.SharedWrite => $"global::System.Memory<byte> {parameter.Name}",
        _ => null,
    };
}
