using System;
using System.Globalization;
using System.Linq;
using System.Threading;
using Exclaves.Client;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.Workers;

/// <summary>`workers-client [--connect ADDRESS] CALLERS ROUNDS`: so many sessions at once, each of which checks its answers.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        string? address = null;
        if (arguments is ["--connect", string named, .. string[] rest])
        {
            (address, arguments) = (named, rest);
        }

        if (arguments is not [string first, string second]
            || !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int callers)
            || !int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds))
        {
            Console.Error.WriteLine("usage: workers-client [--connect ADDRESS] CALLERS ROUNDS");
            return 2;
        }

        WorkersCheck<ServiceConnection>?[] checks = new WorkersCheck<ServiceConnection>?[callers];
        Thread[] threads = [.. Enumerable.Range(0, callers).Select(caller => new Thread(() => checks[caller] = Run(address, caller, rounds)))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        if (checks.Contains(null))
        {
            return 1;
        }

        int wrong = checks.Sum(check => check!.Wrong);
        bool isShared = checks.Any(check => check!.Shared > 0);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"workers: {callers} callers, {wrong} of {checks.Sum(check => check!.Answers)} answers wrong, work shared: {(isShared ? "yes" : "no")}"));
        return wrong == 0 ? 0 : 1;
    }

    /// <returns>Null: a call failed, and its error is told.</returns>
    private static WorkersCheck<ServiceConnection>? Run(string? address, int caller, int rounds)
    {
        try
        {
            using ServiceConnection connection = ServiceConnection.Open(new ServiceName(Guid.Parse(WorkersName.Uuid), "Workers"), address);
            WorkersCheck<ServiceConnection> check = new(connection, caller);
            for (int i = 0; i < rounds; i++)
            {
                check.Round();
            }

            return check;
        }
        catch (Exception error) when (error is TeeException or TightbeamException)
        {
            Console.Error.WriteLine($"workers-client: caller {caller}: {error.Message}");
            return null;
        }
    }
}
