using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Exclaves.Cli.Setup;

/// <summary>The modules of an unpacked kernel package and what each needs.</summary>
/// <remarks>
/// Debian computes modules.dep when the package is installed; ours is not. Each module states its dependencies itself,
/// as "depends=a,b" in its .modinfo section.
/// </remarks>
public sealed class ModuleCatalog
{
    private readonly string _folder;
    private readonly Dictionary<string, string> _paths = [];

    public ModuleCatalog(string folder)
    {
        _folder = folder;
        foreach (string path in Directory.EnumerateFiles(folder, "*.ko", SearchOption.AllDirectories))
        {
            _paths[NameOf(path)] = path;
        }
    }

    /// <summary>Paths of the modules, dependencies first, each once. A name that the kernel has built in or lacks is an error.</summary>
    public IReadOnlyList<string> Resolve(IEnumerable<string> names)
    {
        List<string> ordered = [];
        foreach (string name in names)
        {
            Add(name, ordered);
        }

        return ordered;
    }

    /// <summary>Dependencies that a module file states.</summary>
    public static IReadOnlyList<string> ReadDependencies(ReadOnlySpan<byte> module)
    {
        // A string of its own in .modinfo: a zero byte before it and one after it.
        int start = module.IndexOf("\0depends="u8);
        if (start < 0)
        {
            return [];
        }

        ReadOnlySpan<byte> value = module[(start + "\0depends=".Length)..];
        int end = value.IndexOf((byte)0);
        string text = Encoding.ASCII.GetString(end < 0 ? value : value[..end]);
        return text.Split(',', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path).Replace('-', '_');

    private void Add(string name, List<string> ordered)
    {
        if (!_paths.TryGetValue(name.Replace('-', '_'), out string? path))
        {
            throw new ExclaveException($"The kernel package has no module '{name}' (looked in {_folder}).");
        }

        if (ordered.Contains(path))
        {
            return;
        }

        foreach (string dependency in ReadDependencies(File.ReadAllBytes(path)).Where(dependency => _paths.ContainsKey(dependency.Replace('-', '_'))))
        {
            Add(dependency, ordered);
        }

        ordered.Add(path);
    }
}
