using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Linux starts another Linux (kexec), or one after its own panic (kdump): what the first left in the secure world is dropped (tee-abi 1.14).</summary>
public class SecondKernelTests
{
    /// <summary>Debian's kexec with its own libraries; an archive of this system without what is mounted; four clients in the middle of calls.</summary>
    private const string Prepare = """
        kexec() { /share/lib/ld-linux-aarch64.so.1 --library-path /share/lib /share/kexec "$@"; }
        counters() { exclave-guest stats | grep -E 'DowncallsInUse|SharedMappings|SharedFrames|Sessions|Registrations|Requests'; }
        if ! grep -q second /proc/cmdline; then
            counters > /tmp/before
            mkdir -p /exclave/first
            cp /tmp/before /exclave/first
            for i in 1 2 3 4; do exclave-guest hello --count 100000000 --processes 1 & done
            until [ "$(exclave-guest stats | awk '$1 == "proxy.Sessions" { print $2 }')" -gt 2 ]; do usleep 10000; done
            (cd / && find . -xdev | grep -v '^./\(proc\|sys\|share\|dev\|tmp\)/' | cpio -o -H newc > /tmp/initramfs 2> /dev/null)
        fi

        """;

    [Fact]
    public async Task AKernelStartedByKexecFindsTheSecureWorldAsNew()
    {
        const string Script = Prepare + """
            if grep -q second /proc/cmdline; then
                counters | diff /exclave/first/before - || exit 3
                exclave-guest hello --count 100 --processes 2 && exclave-sign sign /init --signature /tmp/s --public /tmp/p && echo "second kernel, $(nproc) CPUs"
                exit
            fi
            kexec --no-checks --load /share/vmlinuz --initrd=/tmp/initramfs --append="$(cat /proc/cmdline) second" && kexec --exec
            exit 4
            """;
        string said = await Guest.Require(Guest.Usual with { Share = await SecondKernel.ShareFolder }, Script, 300);
        Assert.Contains("100 calls from 2 processes", said);
        Assert.EndsWith("second kernel, 2 CPUs\n", said);
    }

    /// <summary>Debian's driver does not serve a crash kernel, which only reads the memory of the first: it must come up, read, and find nothing secure.</summary>
    [Fact]
    public async Task ACrashKernelReadsTheDumpAndNothingSecure()
    {
        const string Script = Prepare + """
            if grep -q second /proc/cmdline; then
                cp /proc/vmcore /dev/null || exit 3
                echo "crash kernel, $(nproc) CPUs"
                exit
            fi
            # kexec takes the kernel's place from a symbol that Debian's kernel no longer lists: 64 KiB before _stext (arm64's vmlinux.lds.S).
            stext=$(awk '$3 == "_stext" { print $1; exit }' /proc/kallsyms)
            printf '%x T _text\n' $((0x$stext - 0x10000)) > /tmp/symbols
            cat /proc/kallsyms >> /tmp/symbols
            mount --bind /tmp/symbols /proc/kallsyms
            kexec --no-checks --load-panic /share/vmlinuz --initrd=/tmp/initramfs --append="console=ttyAMA0 rdinit=/init maxcpus=1 reset_devices second" || exit 4
            echo c > /proc/sysrq-trigger
            """;

        // Its memory lies where devices reach: the part below 0x8000_0000.
        MachineSpec spec = Guest.Usual with { Share = await SecondKernel.ShareFolder, HasCrashKernel = true, Append = "crashkernel=256M@0x60000000" };
        Assert.EndsWith("crash kernel, 1 CPUs\n", await Guest.Require(spec, Script, 300));
    }
}
