using System;
using System.Threading;
using Exclaves.Kit;
using Exclaves.Tightbeam;

namespace Exclaves.Development;

/// <summary>A conclave's loop outside the secure world: the same checks, limits and number of calls at once as in it.</summary>
public sealed class ConclaveLoop : IDisposable
{
    private readonly MessageQueue _queue = new();
    private readonly ConclaveService _service;
    private readonly int _threads;
    private int _sessions;

    /// <param name="threads">Calls that are served at once, as <see cref="ServiceHost.Run"/> has it.</param>
    public ConclaveLoop(ConclaveService service, int threads = 1)
    {
        _service = service;
        _threads = threads;
    }

    /// <summary>Serves on this thread, and on more if there are to be more, until <see cref="Complete"/>.</summary>
    public void Run()
    {
        Thread[] others = new Thread[_threads - 1];
        for (int i = 0; i < others.Length; i++)
        {
            others[i] = new Thread(Serve) { IsBackground = true };
            others[i].Start();
        }

        Serve();
        Array.ForEach(others, thread => thread.Join());
        _queue.Abandon();
    }

    /// <summary>Opens a session; null when the service refuses it, or the loop has ended. Waits for the loop.</summary>
    public IServedService? OpenSession()
    {
        ConclaveSession session = new(_queue, (uint)Interlocked.Increment(ref _sessions));
        return session.Open() ? session : null;
    }

    /// <summary>Ends <see cref="Run"/> when what came before is served.</summary>
    public void Complete() => _queue.Complete();

    public void Dispose() => _queue.Dispose();

    private void Serve()
    {
        try
        {
            ServiceHost host = new(_service, new MessagePort(_queue));
            for (int bytes = host.Start(); ; bytes = host.Next(bytes)) { }
        }
        catch (OperationCanceledException)
        {
            // Nothing more comes: the way a loop ends here. In the machine it is ended from outside.
        }
    }
}
