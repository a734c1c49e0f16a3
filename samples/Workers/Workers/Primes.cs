using System.Linq;

namespace Exclaves.Samples.Workers;

/// <summary>Counts primes with a parallel query.</summary>
internal static class Primes
{
    public static uint Count(uint from, uint below) => from >= below ? 0 : (uint)ParallelEnumerable.Range(0, (int)(below - from))
        .WithDegreeOfParallelism(MerkleTree.Workers)
        .Count(offset => IsPrime(from + (uint)offset));

    private static bool IsPrime(uint number)
    {
        if (number < 4)
        {
            return number >= 2;
        }

        if (number % 2 == 0)
        {
            return false;
        }

        for (uint divisor = 3; (ulong)divisor * divisor <= number; divisor += 2)
        {
            if (number % divisor == 0)
            {
                return false;
            }
        }

        return true;
    }
}
