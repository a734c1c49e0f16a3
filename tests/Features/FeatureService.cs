using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Kit;

namespace Exclaves.Features;

/// <summary>Tries features and logs what came of each, or goes wrong in a way that is no exception of one feature.</summary>
public sealed class FeatureService : ConclaveService
{
    private const uint TryAll = 1;
    private const uint Overflow = 2;
    private const uint Hoard = 3;
    private const int PieceBytes = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public override void Invoke(ServiceCall call)
    {
        switch (call.Operation)
        {
            case TryAll:
                foreach ((string name, Func<bool> use) in FeatureList.All)
                {
                    Console.Error.WriteLine($"feature: {name}: {Try(use)}");
                }

                break;
            case Overflow:
                _ = Descend(0);
                break;
            case Hoard:
                for (List<byte[]> hoard = []; ; hoard.Add(new byte[PieceBytes])) { }

            default:
                throw new ServiceException(Tee.ErrorNotSupported);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Descend(int depth) => depth < 0 ? 0 : Descend(depth + 1) + 1;

    private static string Try(Func<bool> use)
    {
        Task<bool> attempt = Task.Run(use);
        try
        {
            return !attempt.Wait(Patience) ? "HANGS" : attempt.Result ? "works" : "WRONG";
        }
        catch (AggregateException error)
        {
            return error.InnerException!.GetType().Name;
        }
    }
}
