using System;
using System.Collections.Generic;
using System.Text;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>Prints what the secure world counts.</summary>
internal static class Stats
{
    public static int Run(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        SystemCounters counters = statistics.Counters();
        IReadOnlyList<ComponentReport> components = statistics.Components();
        ExclavesStatus stage = statistics.Status();
        Console.Out.Write(json ? Json(stage, counters, components) : Table(stage, counters, components));
        return 0;
    }

    private static IEnumerable<(string Name, ulong Value)> Rows(SystemCounters counters)
    {
        for (SkCounter i = 0; i < SkCounter.Count; i++)
        {
            yield return ($"sk.{Enum.GetName(i)}", counters[i]);
        }

        for (SptmCounter i = 0; i < SptmCounter.Count; i++)
        {
            yield return ($"sptm.{Enum.GetName(i)}", counters[i]);
        }

        for (ProxyCounter i = 0; i < ProxyCounter.Count; i++)
        {
            yield return ($"proxy.{Enum.GetName(i)}", counters[i]);
        }
    }

    private static string Table(ExclavesStatus stage, SystemCounters counters, IReadOnlyList<ComponentReport> components)
    {
        StringBuilder text = new($"{"status",-28} {Enum.GetName(stage),12}\n");
        foreach ((string name, ulong value) in Rows(counters))
        {
            _ = text.Append($"{name,-28} {value,12}\n");
        }

        _ = text.Append($"\n{"component",-28} {"state",-8} {"untyped",12} {"KiB",8} {"used KiB",8} {"gen",4}\n");
        foreach (ComponentReport component in components)
        {
            ComponentStatus status = component.Status;
            _ = text.Append($"{component.Name,-28} {Enum.GetName(status.State),-8} {"0x" + status.UntypedBase.ToString("x"),12} {status.UntypedBytes / 1024,8} {status.UsedBytes / 1024,8} {status.Generation,4}\n");
        }

        return text.ToString();
    }

    private static string Json(ExclavesStatus stage, SystemCounters counters, IReadOnlyList<ComponentReport> components)
    {
        StringBuilder text = new($"{{\"status\":\"{Enum.GetName(stage)}\",\"counters\":{{");
        string separator = "";
        foreach ((string name, ulong value) in Rows(counters))
        {
            _ = text.Append($"{separator}\"{name}\":{value}");
            separator = ",";
        }

        _ = text.Append("},\"components\":[");
        separator = "";
        foreach (ComponentReport component in components)
        {
            // Component names come from the image's tables, which hold letters, digits, dots and dashes only.
            ComponentStatus status = component.Status;
            _ = text.Append($"{separator}{{\"name\":\"{component.Name}\",\"state\":\"{Enum.GetName(status.State)}\",\"untypedBase\":{status.UntypedBase},\"untypedBytes\":{status.UntypedBytes},\"usedBytes\":{status.UsedBytes},\"generation\":{status.Generation}}}");
            separator = ",";
        }

        return text.Append("]}\n").ToString();
    }
}
