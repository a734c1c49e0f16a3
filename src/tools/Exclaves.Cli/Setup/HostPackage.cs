using System.IO;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Setup;

/// <summary>A Debian package that the build machine needs, how to see that it is there, and what needs it.</summary>
/// <param name="Package">As apt-get takes it, with the architecture where it is not the machine's own.</param>
/// <param name="Probe">A program on the PATH, or an absolute path of a file.</param>
/// <param name="Why">What fails without it.</param>
public sealed record HostPackage(string Package, string Probe, string Why)
{
    public bool IsPresent => Path.IsPathRooted(Probe) ? File.Exists(Probe) : Tool.Find(Probe) != null;
}
