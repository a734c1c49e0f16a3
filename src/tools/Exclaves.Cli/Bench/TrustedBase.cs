using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Cli.Commands;

namespace Exclaves.Cli.Bench;

/// <summary>How large what must be trusted is: lines of the monitor, of SK and of what both are built on, and the monitor's image.</summary>
public static class TrustedBase
{
    private static readonly string[] Folders =
    [
        "src/sptm/Sptm", "src/sptm/Sptm.Image", "src/sk/SecureKernel", "src/sk/SecureKernel.Image",
        "src/base/CoreLib", "src/base/Machine", "src/base/Machine.Arm64", "src/contracts/Abi", "eng",
    ];

    public static IReadOnlyList<Figure> Measure(Workspace workspace)
    {
        List<string> files = [.. Folders.SelectMany(folder => FilesIn(new DirectoryInfo(Path.Combine(workspace.Root, folder))))];
        return
        [
            new Figure("image.sptm.bytes", new FileInfo(Path.Combine(workspace.Out, "obj", "Sptm", "Sptm.bin")).Length, "bytes", 65_536, 54_272),
            new Figure("tcb.lines.csharp", Sum(files, ".cs"), "lines", null, 50_173),
            new Figure("tcb.lines.assembly", Sum(files, ".S", ".h"), "lines", 1_500, null),
        ];
    }

    /// <summary>Lines with something on them that is not a comment.</summary>
    public static int CountLines(IEnumerable<string> lines)
    {
        int count = 0;
        bool isComment = false;
        foreach (string line in lines)
        {
            ReadOnlySpan<char> rest = line.AsSpan().Trim();
            bool hasCode = false;
            while (!rest.IsEmpty)
            {
                int end = isComment ? rest.IndexOf("*/", StringComparison.Ordinal) : 0;
                if (end < 0 || (!isComment && rest.StartsWith("//", StringComparison.Ordinal)))
                {
                    break;
                }

                if (isComment)
                {
                    isComment = false;
                    rest = rest[(end + 2)..].TrimStart();
                    continue;
                }

                isComment = rest.StartsWith("/*", StringComparison.Ordinal);
                hasCode |= !isComment;
                int next = isComment ? 2 : rest.IndexOf("/*", StringComparison.Ordinal);
                rest = next < 0 ? default : rest[next..];
            }

            count += hasCode ? 1 : 0;
        }

        return count;
    }

    private static int Sum(IEnumerable<string> files, params string[] extensions) =>
        files.Where(file => extensions.Contains(Path.GetExtension(file))).Sum(file => CountLines(File.ReadLines(file)));

    /// <summary>Of `eng` only its own files are part of an image: the headers of assembly.</summary>
    private static IEnumerable<string> FilesIn(DirectoryInfo folder) =>
        folder.EnumerateFiles().Where(file => folder.Name != "eng" || file.Extension == ".h").Select(file => file.FullName)
            .Concat(folder.Name == "eng" ? [] : folder.EnumerateDirectories().Where(inner => inner.Name is not ("bin" or "obj")).SelectMany(FilesIn));
}
