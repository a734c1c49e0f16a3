using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Cli.Setup;

/// <summary>What a Debian 12 machine with the .NET SDK lacks to build and run everything here. The one list.</summary>
public static class HostPackages
{
    private const string Arm64Libraries = "/usr/lib/aarch64-linux-gnu/";

    /// <summary>Where Debian's package of public cryptographic test vectors has them.</summary>
    public const string VectorsFolder = "/usr/lib/python3/dist-packages/cryptography_vectors";

    public static IReadOnlyList<HostPackage> All { get; } =
    [
        // package, probe, what needs it
        new("qemu-system-arm", "qemu-system-aarch64", "the machine"),
        new("clang", "clang", "assembles the entry code, drives the link of .NET programs for the guest"),
        new("lld", "ld.lld", "links the images"),
        new("llvm", "llvm-objcopy", "turns a linked image into the flat file that boots"),
        new("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc", "compiles the attack module against Debian's headers"),
        new("libc6-dev-arm64-cross", "/usr/aarch64-linux-gnu/lib/libc.a", "libc of the static .NET programs"),
        new("zlib1g-dev:arm64", Arm64Libraries + "libz.a", "part of every NativeAOT program"),
        new("libssl-dev:arm64", Arm64Libraries + "libcrypto.a", "the cryptography of conclaves, linked in statically"),
        new("libbearssl-dev:arm64", Arm64Libraries + "libbearssl.a", "the signature check of TXM, linked into it"),
        new("cmake", "cmake", "the .NET SDK builds its OpenSSL adapter with it when that is linked statically"),
        new("make", "make", "builds the attack module"),
        new("python3-cryptography-vectors", VectorsFolder + "/__init__.py", "public test vectors that run inside a conclave (tests/Vectors)"),
        new("gdb-multiarch", "gdb-multiarch", "`exclave debug`"),
        new("openssl", "openssl", "checks the demo's signature from outside"),
    ];

    /// <summary>The package that brings the program <paramref name="tool"/>; null when we do not know one.</summary>
    public static string? PackageOf(string tool) => All.FirstOrDefault(package => package.Probe == tool)?.Package;
}
