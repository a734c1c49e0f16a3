using System;
using System.Threading.Tasks;
using Exclaves.Kit;

namespace Exclaves.Features;

/// <summary>Every call tries all features and logs what came of each.</summary>
public sealed class FeatureService : ConclaveService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public override void Invoke(ServiceCall call)
    {
        foreach ((string name, Func<bool> use) in FeatureList.All)
        {
            Console.Error.WriteLine($"feature: {name}: {Try(use)}");
        }
    }

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
