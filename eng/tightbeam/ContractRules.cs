using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Tightbeam.Generator;

/// <summary>What an interface may become: an old client and an old server go on working with whatever is new.</summary>
internal static class ContractRules
{
    /// <summary>Every way in which <paramref name="now"/> breaks what <paramref name="old"/> promised.</summary>
    public static IEnumerable<string> Breaches(Contract old, Contract now)
    {
        if (old.Name != now.Name)
        {
            yield return $"it was called {old.Name}";
        }

        if (old.Id != now.Id)
        {
            yield return $"its id was {old.Id} and is {now.Id}";
        }

        if (now.Version < old.Version)
        {
            yield return $"its version was {old.Version} and is {now.Version}";
        }

        if (now.CallBytes > old.CallBytes)
        {
            yield return $"a call had {old.CallBytes} bytes and has {now.CallBytes}: a peer may have room for no more than it was promised";
        }

        foreach (string breach in OperationBreaches(old, now).Concat(TypeBreaches(old, now)))
        {
            yield return breach;
        }
    }

    /// <summary>What is new, in words.</summary>
    public static string Difference(Contract old, Contract now)
    {
        List<string> found = [];
        found.AddRange(now.Operations.Where(o => !old.Operations.ContainsKey(o.Key)).Select(o => $"new operation {o.Value.Name}"));
        if (old.Version != now.Version)
        {
            found.Add($"version {now.Version} instead of {old.Version}");
        }

        return found.Count == 0 ? "names or order" : string.Join(", ", found);
    }

    private static IEnumerable<string> OperationBreaches(Contract old, Contract now)
    {
        foreach (KeyValuePair<int, Contract.Op> was in old.Operations)
        {
            if (!now.Operations.TryGetValue(was.Key, out Contract.Op? op))
            {
                yield return $"operation {was.Key} ({was.Value.Name}) is gone";
                continue;
            }

            string name = $"operation {was.Key} ({was.Value.Name})";
            if (op.Name != was.Value.Name)
            {
                yield return $"{name} is now {op.Name}: a number is never given to another operation";
            }

            if (!op.Shape.SequenceEqual(was.Value.Shape))
            {
                yield return $"{name} was ({string.Join(", ", was.Value.Shape)}) and is ({string.Join(", ", op.Shape)})";
            }

            if (op.Since != was.Value.Since)
            {
                yield return $"{name} exists since version {was.Value.Since}, not {op.Since}";
            }

            if (was.Value.IsIdempotent && !op.IsIdempotent)
            {
                yield return $"{name} was idempotent: callers may repeat it";
            }
        }

        foreach (KeyValuePair<int, Contract.Op> added in now.Operations.Where(o => !old.Operations.ContainsKey(o.Key)))
        {
            if (added.Value.Since <= old.Version)
            {
                yield return $"new operation {added.Key} ({added.Value.Name}) says Since = {added.Value.Since}: version {old.Version} was without it, so raise the version and say so";
            }
        }
    }

    private static IEnumerable<string> TypeBreaches(Contract old, Contract now)
    {
        foreach (KeyValuePair<string, Contract.Type> was in old.Types)
        {
            // A type that no operation uses any more changed an operation, which is reported.
            if (!now.Types.TryGetValue(was.Key, out Contract.Type? type))
            {
                continue;
            }

            if (type.Kind != was.Value.Kind)
            {
                yield return $"{was.Key} was {was.Value.Kind} and is {type.Kind}";
            }
            else if (type.Kind == "struct")
            {
                if (!type.Shape.SequenceEqual(was.Value.Shape))
                {
                    yield return $"struct {was.Key} was ({string.Join(", ", was.Value.Shape)}) and is ({string.Join(", ", type.Shape)})";
                }
            }
            else
            {
                foreach (string breach in EnumBreaches(was.Key, was.Value, type, now.Version > old.Version))
                {
                    yield return breach;
                }
            }
        }
    }

    private static IEnumerable<string> EnumBreaches(string name, Contract.Type was, Contract.Type type, bool isNewVersion)
    {
        foreach (string gone in was.Shape.Except(type.Shape))
        {
            yield return $"value {gone} of enum {name} is gone";
        }

        string[] added = [.. type.Shape.Except(was.Shape)];
        if (added.Length != 0 && was.IsOutput)
        {
            yield return $"enum {name} comes back from operations, so a caller of version before would refuse its new value {added[0]}";
        }
        else if (added.Length != 0 && !isNewVersion)
        {
            yield return $"enum {name} has a new value {added[0]}: raise the version";
        }
    }
}
