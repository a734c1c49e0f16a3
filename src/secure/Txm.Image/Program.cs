using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.Txm.Image;

/// <summary>One request, one answer; then SPTM clears all of this.</summary>
internal static unsafe class Program
{
    [RuntimeExport("txm_main")]
    public static void Main(TxmRequest* request)
    {
        TxmVerdict verdict;
        Digest digest;

        // SAFETY: SPTM maps the request and the manifest's whole place, read only, and nobody writes them while TXM runs.
        unsafe
        {
            ReadOnlySpan<byte> place = new((void*)request->Manifest, (int)Virt.ManifestBytes);
            verdict = ManifestVerifier<BearSsl>.Verify(place, *request, out digest);
        }

        DigestWords words = Unsafe.As<Digest, DigestWords>(ref digest);
        Answer(verdict, ref words);
    }

    /// <summary>A digest in registers.</summary>
    [InlineArray(4)]
    private struct DigestWords
    {
        private ulong _first;
    }

    [RuntimeImport("*", "txm_answer")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Answer(TxmVerdict verdict, ref DigestWords digest);
}
