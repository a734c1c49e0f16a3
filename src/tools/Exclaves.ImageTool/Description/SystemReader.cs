using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Description;

/// <summary>Reads a system description and checks everything that can be checked without the binaries.</summary>
public sealed class SystemReader
{
    /// <summary>SK's tables hold this many (SecureKernel, Limits); SPTM refuses a longer table as well.</summary>
    public const int MaxComponents = 96;
    public const uint MaxThreads = 8;

    /// <summary>With those that a component starts itself; and what a .NET component may have when its description does not say.</summary>
    public const uint MostThreads = (uint)((UserLayout.ThreadEnd - UserLayout.ThreadBase) / UserLayout.ThreadSpan);
    public const uint DotNetThreads = 32;
    public const int MaxServices = 256;
    public const uint MaxSlot = ComponentEntry.UpcallSlot - 1;

    private const ulong DefaultPoolBytes = 128ul << 20;
    private const uint DowncallSlot = ComponentEntry.OwnEndpointSlot + 1;
    private const uint CountersSlot = DowncallSlot + 1;

    private readonly string _file;
    private readonly ProblemList _problems;
    private readonly List<Draft> _drafts = [];

    private SystemReader(string file)
    {
        _file = file;
        _problems = new ProblemList(file);
    }

    /// <exception cref="ImageToolException">With every problem of the file.</exception>
    public static SystemDescription Read(string file)
    {
        byte[] text;
        try
        {
            text = File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageToolException(file, "", error.Message);
        }

        return Parse(file, text);
    }

    /// <exception cref="ImageToolException">With every problem of the text.</exception>
    public static SystemDescription Parse(string file, ReadOnlyMemory<byte> text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
            return new SystemReader(file).ReadRoot(document.RootElement);
        }
        catch (JsonException error)
        {
            throw new ImageToolException(file, $"line {error.LineNumber + 1}", "is not JSON: " + error.Message);
        }
    }

    private SystemDescription ReadRoot(JsonElement element)
    {
        JsonReader root = new(element, "$", _problems);
        if (!root.IsObject(["sptm", "txm", "sk", "components", "services"], ["$schema", "kit", "pool", "stopOnPanic"]))
        {
            _problems.ThrowIfAny();
        }

        string sptm = root.Member("sptm").Text();
        string txm = root.Member("txm").Text();
        string sk = root.Member("sk").Text();
        string? kit = root.Has("kit") ? root.Member("kit").Text() : null;
        ulong pool = root.Has("pool") ? root.Member("pool").Bytes(2ul << 20, "2 MiB") : DefaultPoolBytes;

        ImagePolicy policy = root.Has("stopOnPanic") && root.Member("stopOnPanic").Flag() ? ImagePolicy.StopOnPanic : ImagePolicy.None;

        IReadOnlyList<JsonReader> components = root.Member("components").Items();
        foreach (JsonReader component in components)
        {
            _drafts.Add(ReadComponent(component));
        }

        CheckComponents(root, kit);
        for (int i = 0; i < components.Count; i++)
        {
            ReadGrants(components[i], _drafts[i], i);
        }

        GiveLog();
        GiveMint();
        CheckPool(root, pool);
        CheckDonations();
        CheckCircles();
        List<ServiceDescription> services = ReadServices(root.Member("services"));
        foreach (Draft draft in _drafts.Where(d => d.Grants.Count > ComponentEntry.MaxGrants))
        {
            _problems.Add(draft.Place, $"holds {draft.Grants.Count} capabilities; {ComponentEntry.MaxGrants} fit.");
        }

        _problems.ThrowIfAny();
        return new SystemDescription(
            _file,
            sptm,
            txm,
            sk,
            kit,
            pool,
            policy,
            [.. _drafts.Select(d => new ComponentDescription(d.Place, d.Name, d.Kind, d.Flags, d.Program, d.QuotaBytes, d.DonatedBytes, d.Threads, d.MaxThreads, [.. d.Grants.OrderBy(g => g.Slot)]))],
            services);
    }

    private static Draft ReadComponent(JsonReader reader)
    {
        Draft draft = new() { Place = reader.Place };
        if (!reader.IsObject(["name", "kind", "program", "quota"], ["core", "proxy", "measurements", "grants", "donated", "threads", "maxThreads", "lentBuffers", "log", "frameMint"]))
        {
            return draft;
        }

        draft.Name = ReadName(reader.Member("name"));
        draft.Kind = ReadKind(reader.Member("kind"));
        draft.Program = reader.Member("program").Text();
        draft.QuotaBytes = reader.Member("quota").Bytes(UserLayout.PageBytes, "4 KiB");
        draft.DonatedBytes = reader.Has("donated") ? reader.Member("donated").Bytes(UserLayout.PageBytes, "4 KiB") : 0;
        draft.Threads = reader.Has("threads") ? reader.Member("threads").Number(1, MaxThreads) : 1;
        draft.MaxThreads = reader.Has("maxThreads") ? reader.Member("maxThreads").Number(1, MostThreads)
            : draft.Kind == ComponentKind.DotNet ? DotNetThreads
            : draft.Threads;
        draft.Flags |= reader.Has("core") && reader.Member("core").Flag() ? ComponentFlags.Core : 0;
        draft.Flags |= reader.Has("proxy") && reader.Member("proxy").Flag() ? ComponentFlags.Proxy : 0;
        draft.Flags |= reader.Has("lentBuffers") && reader.Member("lentBuffers").Flag() ? ComponentFlags.LentBuffers : 0;
        draft.Flags |= reader.Has("log") && reader.Member("log").Flag() ? ComponentFlags.Log : 0;
        draft.Flags |= reader.Has("frameMint") && reader.Member("frameMint").Flag() ? ComponentFlags.FrameMint : 0;
        draft.Flags |= reader.Has("measurements") && reader.Member("measurements").Flag() ? ComponentFlags.Measurements : 0;
        return draft;
    }

    private static string ReadName(JsonReader reader)
    {
        string name = reader.Text();
        if (name.Length > 0 && (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') || Encoding.UTF8.GetByteCount(name) > 63))
        {
            reader.Refuse("must be at most 63 letters, digits, dots, hyphens and underscores.");
        }

        return name;
    }

    private static ComponentKind ReadKind(JsonReader reader)
    {
        switch (reader.Text())
        {
            case "freestanding":
                return ComponentKind.Freestanding;
            case "dotnet":
                return ComponentKind.DotNet;
            case "":
                return ComponentKind.None;
            default:
                reader.Refuse("must be \"freestanding\" or \"dotnet\".");
                return ComponentKind.None;
        }
    }

    private void CheckComponents(JsonReader root, string? kit)
    {
        if (_drafts.Count > MaxComponents)
        {
            _problems.Add("$.components", $"has {_drafts.Count} entries; SK's table holds {MaxComponents}.");
        }

        foreach (IGrouping<string, Draft> same in _drafts.Where(d => d.Name.Length > 0).GroupBy(d => d.Name).Where(g => g.Count() > 1))
        {
            _problems.Add(same.Last().Place + ".name", $"\"{same.Key}\" is the name of another component as well.");
        }

        Draft[] proxies = [.. _drafts.Where(d => d.IsProxy)];
        if (proxies.Length != 1)
        {
            _problems.Add("$.components", $"must have exactly one component with \"proxy\": true, and has {proxies.Length}.");
        }

        foreach (Draft proxy in proxies)
        {
            if ((proxy.Flags & ComponentFlags.Core) == 0)
            {
                _problems.Add(proxy.Place, "is the proxy, so it must be \"core\" too: Linux calls it as soon as it boots.");
            }

            if (proxy.Kind == ComponentKind.DotNet)
            {
                _problems.Add(proxy.Place + ".kind", "must be \"freestanding\" for the proxy.");
            }

            if (proxy.Threads != 1)
            {
                _problems.Add(proxy.Place + ".threads", "must be 1 for the proxy: nothing in it is locked, it serves one message after the other.");
            }

            if (proxy.MaxThreads != 1)
            {
                _problems.Add(proxy.Place + ".maxThreads", "must be 1 for the proxy.");
            }

            if (root.Member("components").Items()[_drafts.IndexOf(proxy)].Has("grants"))
            {
                _problems.Add(proxy.Place + ".grants", "must be absent for the proxy: its capabilities follow from the services.");
            }
        }

        CheckLog(root);
        CheckMint(root, kit);
        foreach (Draft draft in _drafts.Where(d => (d.Flags & ComponentFlags.LentBuffers) != 0 && (d.Flags & (ComponentFlags.Core | ComponentFlags.Proxy)) != 0))
        {
            _problems.Add(draft.Place + ".lentBuffers", "is not for a core component: a Linux that starts anew takes its pages back, and who uses one then ends.");
        }

        foreach (Draft draft in _drafts.Where(d => d.MaxThreads < d.Threads))
        {
            _problems.Add(draft.Place + ".maxThreads", $"must not be less than the {draft.Threads} threads that it begins with.");
        }

        foreach (Draft draft in _drafts.Where(d => d.Kind == ComponentKind.DotNet))
        {
            if (kit is null)
            {
                _problems.Add(draft.Place + ".kind", "is \"dotnet\", which needs ExclaveKit: name its ELF in $.kit.");
            }

            if (!_drafts.Any(d => d.IsMint))
            {
                _problems.Add(draft.Place + ".kind", "is \"dotnet\", and no component has \"frameMint\": SK starts none before ExclaveKit's text is minted.");
            }

            if ((draft.Flags & ComponentFlags.Core) != 0)
            {
                _problems.Add(draft.Place + ".core", "must not be true for a .NET component: only freestanding ones run while the secure world boots.");
            }

            if (draft.Threads != 1)
            {
                _problems.Add(draft.Place + ".threads", "must be 1 for a .NET component: it starts the others itself, see maxThreads.");
            }
        }
    }

    private void CheckLog(JsonReader root)
    {
        Draft[] logs = [.. _drafts.Where(d => d.IsLog)];
        if (logs.Length > 1)
        {
            _problems.Add("$.components", $"may have one component with \"log\": true, and have {logs.Length}.");
        }

        foreach (Draft log in logs)
        {
            if (log.IsProxy || log.Kind == ComponentKind.DotNet || (log.Flags & ComponentFlags.Core) == 0)
            {
                _problems.Add(log.Place + ".log", "must be a freestanding core component other than the proxy: it is there before those that write.");
            }

            if (log.Threads != 1 || log.MaxThreads != 1)
            {
                _problems.Add(log.Place + ".threads", "must be 1 for the log: nothing in it is locked, it serves one message after the other.");
            }

            if (root.Member("components").Items()[_drafts.IndexOf(log)].Has("grants"))
            {
                _problems.Add(log.Place + ".grants", "must be absent for the log: it takes what others send and calls nobody.");
            }
        }
    }

    private void CheckMint(JsonReader root, string? kit)
    {
        Draft[] mints = [.. _drafts.Where(d => d.IsMint)];
        if (mints.Length > 1)
        {
            _problems.Add("$.components", $"may have one component with \"frameMint\": true, and have {mints.Length}.");
        }

        foreach (Draft mint in mints)
        {
            if (mint.IsProxy || mint.IsLog || mint.Kind == ComponentKind.DotNet || (mint.Flags & ComponentFlags.Core) == 0)
            {
                _problems.Add(mint.Place + ".frameMint", "must be a freestanding core component other than the proxy and the log: it is there before .NET components.");
            }

            if (mint.Threads != 1 || mint.MaxThreads != 1)
            {
                _problems.Add(mint.Place + ".threads", "must be 1 for FrameMint: nothing in it is locked.");
            }

            if (kit is null)
            {
                _problems.Add(mint.Place + ".frameMint", "mints ExclaveKit's text: name its ELF in $.kit.");
            }

            if (root.Member("components").Items()[_drafts.IndexOf(mint)].Has("grants"))
            {
                _problems.Add(mint.Place + ".grants", "must be absent for FrameMint: its capabilities follow.");
            }
        }
    }

    /// <summary>What follows from "frameMint": ExclaveKit's pages, which the image's builder knows, what is left of the pool, and XnuProxy's way to it.</summary>
    private void GiveMint()
    {
        int index = _drafts.FindIndex(d => d.IsMint);
        if (index < 0)
        {
            return;
        }

        _drafts[index].Grants.Add(new GrantEntry { Kind = GrantKind.Kit, Slot = MintSlots.Kit });
        _drafts[index].Grants.Add(new GrantEntry { Kind = GrantKind.UntypedRest, Slot = MintSlots.Rest });
        foreach (Draft proxy in _drafts.Where(d => d.IsProxy))
        {
            proxy.Grants.Add(new GrantEntry { Kind = GrantKind.Endpoint, Slot = MintSlots.Proxy, Argument = (ulong)index, Badge = ComponentEntry.ProxyBadge });
        }
    }

    /// <summary>What follows from "log": its own capabilities, and everybody's to write.</summary>
    private void GiveLog()
    {
        int index = _drafts.FindIndex(d => d.IsLog);
        if (index < 0)
        {
            return;
        }

        Draft log = _drafts[index];
        log.Flags |= ComponentFlags.Measurements;
        log.Grants.Add(new GrantEntry { Kind = GrantKind.Counters, Slot = CountersSlot });
        for (int i = 0; i < _drafts.Count; i++)
        {
            if (i != index && !_drafts[i].IsProxy)
            {
                _drafts[i].Grants.Add(new GrantEntry { Kind = GrantKind.Endpoint, Slot = ComponentEntry.LogSlot, Argument = (ulong)index, Badge = (ulong)i + 1 });
            }
        }
    }

    private void ReadGrants(JsonReader reader, Draft draft, int index)
    {
        if (draft.IsLog || draft.IsMint)
        {
            return;
        }

        if (draft.IsProxy)
        {
            draft.Grants.Add(new GrantEntry { Kind = GrantKind.Downcall, Slot = DowncallSlot });
            draft.Grants.Add(new GrantEntry { Kind = GrantKind.Counters, Slot = CountersSlot });
            return;
        }

        if (!reader.Has("grants"))
        {
            return;
        }

        foreach (JsonReader item in reader.Member("grants").Items())
        {
            GrantEntry grant = ReadGrant(item, draft, index);
            if (grant.Kind == GrantKind.None)
            {
                continue;
            }

            if (draft.Grants.Any(g => g.Slot == grant.Slot))
            {
                _problems.Add(item.Place + ".slot", $"{grant.Slot} is taken by another grant of this component.");
            }

            draft.Grants.Add(grant);
        }

        if (draft.Grants.Any(g => g.Kind == GrantKind.DmaAddress) && draft.Grants.All(g => g.Kind != GrantKind.Device))
        {
            _problems.Add(draft.Place + ".grants", "gives physical addresses (\"dmaAddress\") to a component without a device.");
        }

        foreach (GrantEntry interrupt in draft.Grants.Where(g => g.Kind == GrantKind.Interrupt))
        {
            string name = DeviceCatalog.Interrupts.First(d => d.Value == interrupt.Argument).Key;
            if (!draft.Grants.Any(g => g.Kind == GrantKind.Device && g.Argument == DeviceCatalog.Pages[name]))
            {
                _problems.Add(draft.Place + ".grants", $"gives the interrupt of \"{name}\" to a component that does not have the device.");
            }
        }
    }

    private GrantEntry ReadGrant(JsonReader reader, Draft draft, int index)
    {
        string[] kinds = ["endpoint", "device", "interrupt", "dmaAddress", "counters", "untyped"];
        string[] present = [.. kinds.Where(reader.Has)];
        if (!reader.IsObject(["slot"], [.. kinds, "badge"]))
        {
            return default;
        }

        if (present.Length != 1)
        {
            reader.Refuse($"must have exactly one of {string.Join(", ", kinds)}.");
            return default;
        }

        // Slot 0 is never valid and slot 1 is the component's own endpoint.
        uint slot = reader.Member("slot").Number(ComponentEntry.OwnEndpointSlot + 1, MaxSlot);
        if (reader.Has("badge") && present[0] != "endpoint")
        {
            reader.Member("badge").Refuse("belongs to endpoints only.");
        }

        JsonReader value = reader.Member(present[0]);
        return present[0] switch
        {
            "endpoint" => ReadEndpoint(reader, value, draft, index, slot),
            "device" => ReadDevice(value, slot),
            "interrupt" => ReadInterrupt(value, slot),
            "dmaAddress" => ReadSwitch(value, GrantKind.DmaAddress, slot),
            "untyped" => ReadUntyped(value, slot),
            _ => ReadSwitch(value, GrantKind.Counters, slot),
        };
    }

    private GrantEntry ReadEndpoint(JsonReader reader, JsonReader value, Draft draft, int index, uint slot)
    {
        string name = value.Text();
        int target = _drafts.FindIndex(d => d.Name == name);
        if (target < 0)
        {
            value.Refuse($"\"{name}\" is not a component of this system.");
            return default;
        }

        if (target == index)
        {
            value.Refuse("is the component itself: it would wait for itself.");
        }
        else if (_drafts[target].IsProxy)
        {
            value.Refuse("is the proxy, which calls others and is called by nobody.");
        }
        else if (_drafts[target].IsLog)
        {
            value.Refuse("is the log, whose endpoint everybody has at slot 33, under the badge that is his name.");
        }
        else if (_drafts[target].IsMint)
        {
            value.Refuse("is FrameMint, which XnuProxy alone calls.");
        }

        // A server tells its callers apart by badge, so the default differs per caller and is never zero.
        ulong badge = reader.Has("badge") ? reader.Member("badge").Number(1, uint.MaxValue) : (ulong)index + 1;
        if (_drafts.Any(d => d.Grants.Any(g => g.Kind == GrantKind.Endpoint && g.Argument == (ulong)target && g.Badge == badge)))
        {
            reader.Refuse($"gives badge {badge} on \"{name}\", which another caller of it has.");
        }

        if (draft.Grants.Any(g => g.Kind == GrantKind.Endpoint && g.Argument == (ulong)target))
        {
            value.Refuse($"\"{name}\" is granted to this component twice.");
        }

        return new GrantEntry { Kind = GrantKind.Endpoint, Slot = slot, Argument = (ulong)target, Badge = badge };
    }

    private GrantEntry ReadDevice(JsonReader value, uint slot)
    {
        string name = value.Text();
        if (!DeviceCatalog.Pages.TryGetValue(name, out ulong page))
        {
            value.Refuse($"\"{name}\" is not a device. Known: {string.Join(", ", DeviceCatalog.Pages.Keys)}.");
            return default;
        }

        if (_drafts.Any(d => d.Grants.Any(g => g.Kind == GrantKind.Device && g.Argument == page)))
        {
            value.Refuse($"\"{name}\" belongs to another component already: a device has one driver.");
        }

        return new GrantEntry { Kind = GrantKind.Device, Slot = slot, Argument = page };
    }

    /// <summary>Only the driver has it, as the caller checks, so that nobody else can.</summary>
    private static GrantEntry ReadInterrupt(JsonReader value, uint slot)
    {
        string name = value.Text();
        if (!DeviceCatalog.Interrupts.TryGetValue(name, out uint number))
        {
            value.Refuse($"\"{name}\" is not a device with an interrupt. Known: {string.Join(", ", DeviceCatalog.Interrupts.Keys)}.");
            return default;
        }

        return new GrantEntry { Kind = GrantKind.Interrupt, Slot = slot, Argument = number };
    }

    private static GrantEntry ReadUntyped(JsonReader value, uint slot)
    {
        ulong bytes = value.Bytes(UserLayout.PageBytes, "4 KiB");
        if (!BitOperations.IsPow2(bytes))
        {
            value.Refuse("must be a power of two: objects and their memory lie at multiples of their size.");
        }

        return new GrantEntry { Kind = GrantKind.Untyped, Slot = slot, Argument = bytes };
    }

    private static GrantEntry ReadSwitch(JsonReader value, GrantKind kind, uint slot)
    {
        if (!value.Flag())
        {
            value.Refuse("must be true; leave the grant out otherwise.");
        }

        return new GrantEntry { Kind = kind, Slot = slot };
    }

    /// <summary>Linux can take donated memory back and so end the component: never one that all others need, nor one whose device keeps addresses.</summary>
    private void CheckDonations()
    {
        foreach (Draft draft in _drafts.Where(d => d.DonatedBytes != 0))
        {
            if ((draft.Flags & ComponentFlags.Core) != 0)
            {
                _problems.Add(draft.Place + ".donated", "is not for a core component: Linux can take such memory back, and the component ends then.");
            }

            if (draft.Grants.Any(g => g.Kind == GrantKind.DmaAddress))
            {
                _problems.Add(draft.Place + ".donated", "is not for a component that programs a device: Linux can take such memory back.");
            }
        }
    }

    private void CheckPool(JsonReader root, ulong pool)
    {
        UInt128 needed = PoolPlan.SecureKernelBytes([.. _drafts.Select(d => PoolShare.Of(d.Flags, d.QuotaBytes, d.MaxThreads, d.Grants))]);
        ulong monitor = PoolPlan.MonitorBytes(PoolPlan.UsualRamBytes);
        if (needed + monitor > pool)
        {
            _problems.Add(
                root.Has("pool") ? "$.pool" : "$.components",
                $"quotas, threads, tables and untyped memory are {needed >> 10} KiB together; a pool of {pool >> 20} MiB leaves {(pool > monitor ? pool - monitor : 0) >> 10} KiB after SPTM.");
        }
    }

    /// <summary>Components that can wait for each other in a circle can wait for ever.</summary>
    private void CheckCircles()
    {
        // 0 = not seen, 1 = on the way, 2 = done.
        int[] marks = new int[_drafts.Count];
        for (int i = 0; i < _drafts.Count; i++)
        {
            Visit(i, marks, []);
        }
    }

    private void Visit(int index, int[] marks, List<int> path)
    {
        if (marks[index] == 2)
        {
            return;
        }

        path.Add(index);
        if (marks[index] == 1)
        {
            // A call to oneself is reported where it stands.
            if (path[^2] != index)
            {
                IEnumerable<string> names = path.SkipWhile(p => p != index).Select(p => _drafts[p].Name);
                _problems.Add(_drafts[index].Place + ".grants", $"close a circle of calls: {string.Join(" -> ", names)}.");
            }
        }
        else
        {
            marks[index] = 1;
            foreach (GrantEntry grant in _drafts[index].Grants.Where(g => g.Kind == GrantKind.Endpoint))
            {
                Visit((int)grant.Argument, marks, path);
            }

            marks[index] = 2;
        }

        path.RemoveAt(path.Count - 1);
    }

    private List<ServiceDescription> ReadServices(JsonReader reader)
    {
        List<ServiceDescription> services = [];
        IReadOnlyList<JsonReader> items = reader.Items();
        if (items.Count > MaxServices)
        {
            reader.Refuse($"has {items.Count} entries; the table holds {MaxServices}.");
        }

        foreach (JsonReader item in items)
        {
            if (item.IsObject(["name", "uuid", "component"], ["onBus"]) && ReadService(item, services) is { } service)
            {
                services.Add(service);
            }
        }

        return services;
    }

    private ServiceDescription? ReadService(JsonReader item, List<ServiceDescription> before)
    {
        string name = ReadName(item.Member("name"));
        if (before.Any(s => s.Name == name))
        {
            item.Member("name").Refuse($"\"{name}\" is the name of another service as well.");
        }

        JsonReader uuidMember = item.Member("uuid");
        if (!Guid.TryParseExact(uuidMember.Text(), "D", out Guid uuid) || uuid == Guid.Empty)
        {
            uuidMember.Refuse("must be a UUID such as \"6f9a3c1e-0d52-4b7a-9c55-2b1d6e0f4a10\", and not all zero.");
        }
        else if (before.Any(s => s.Uuid == uuid))
        {
            uuidMember.Refuse("is the UUID of another service as well.");
        }

        JsonReader componentMember = item.Member("component");
        string componentName = componentMember.Text();
        int component = _drafts.FindIndex(d => d.Name == componentName);
        bool onBus = item.Has("onBus") && item.Member("onBus").Flag();
        if (component < 0)
        {
            componentMember.Refuse($"\"{componentName}\" is not a component of this system.");
            return null;
        }

        if (_drafts[component].IsProxy)
        {
            componentMember.Refuse("is the proxy, whose own services are built in.");
            return null;
        }

        return new ServiceDescription(name, uuid, component, ComponentEntry.FirstServiceSlot + (uint)component, onBus);
    }

    private sealed class Draft
    {
        public string Place { get; init; } = "";

        public string Name { get; set; } = "";

        public ComponentKind Kind { get; set; }

        public ComponentFlags Flags { get; set; }

        public string Program { get; set; } = "";

        public ulong QuotaBytes { get; set; }

        public ulong DonatedBytes { get; set; }

        public uint Threads { get; set; } = 1;
        public uint MaxThreads { get; set; } = 1;

        public List<GrantEntry> Grants { get; } = [];

        public bool IsProxy => (Flags & ComponentFlags.Proxy) != 0;

        public bool IsLog => (Flags & ComponentFlags.Log) != 0;

        public bool IsMint => (Flags & ComponentFlags.FrameMint) != 0;
    }
}
