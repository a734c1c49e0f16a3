using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Layout;

/// <summary>Why somebody holds a capability.</summary>
public enum HoldingOrigin
{
    /// <summary>Its own endpoint: everybody has one.</summary>
    Own,

    /// <summary>A grant of the image's table.</summary>
    Declared,

    /// <summary>XnuProxy may call whoever serves Linux.</summary>
    Service,

    /// <summary>Whoever serves Linux may ask Linux, through XnuProxy.</summary>
    Upcall,
}

/// <summary>One capability that a component holds when it starts, and in every life.</summary>
/// <param name="Kind">An endpoint is called, unless the origin is <see cref="HoldingOrigin.Own"/>: then it is received at.</param>
/// <param name="Argument">As in <see cref="GrantEntry"/>.</param>
public sealed record Holding(uint Slot, GrantKind Kind, ulong Argument, ulong Badge, HoldingOrigin Origin);

/// <summary>Who holds what: all that SK makes of an image's tables.</summary>
/// <remarks>SK's own rule is its Distribution; a test boots SK and compares every slot of every component with this.</remarks>
public static class Holdings
{
    /// <summary>What the component with index <paramref name="index"/> holds, by slot.</summary>
    public static IReadOnlyList<Holding> Of(int index, IReadOnlyList<ComponentEntry> components, IReadOnlyList<ServiceEntry> services)
    {
        ComponentEntry entry = components[index];
        int proxy = ProxyOf(components);
        List<Holding> held = [new(ComponentEntry.OwnEndpointSlot, GrantKind.Endpoint, (ulong)index, 0, HoldingOrigin.Own)];
        for (int i = 0; i < (int)Math.Min(entry.GrantCount, ComponentEntry.MaxGrants); i++)
        {
            GrantEntry grant = entry.Grants[i];
            held.Add(new Holding(grant.Slot, grant.Kind, grant.Argument, grant.Badge, HoldingOrigin.Declared));
        }

        if (index == proxy)
        {
            held.AddRange(services
                .DistinctBy(s => s.ProxySlot)
                .Select(s => new Holding(s.ProxySlot, GrantKind.Endpoint, s.Component, ComponentEntry.ProxyBadge, HoldingOrigin.Service)));
        }
        else if (proxy >= 0 && services.Any(s => s.Component == index))
        {
            held.Add(new Holding(ComponentEntry.UpcallSlot, GrantKind.Endpoint, (ulong)proxy, (ulong)index + 1, HoldingOrigin.Upcall));
        }

        return [.. held.OrderBy(h => h.Slot)];
    }

    private static int ProxyOf(IReadOnlyList<ComponentEntry> components)
    {
        for (int i = 0; i < components.Count; i++)
        {
            if ((components[i].Flags & ComponentFlags.Proxy) != 0)
            {
                return i;
            }
        }

        return -1;
    }
}
