namespace Exclaves.SecureKernel;

/// <summary>What a component's thread is doing.</summary>
public enum ThreadState : byte
{
    /// <summary>Not started, or dead.</summary>
    Inactive = 0,

    /// <summary>Waits for a message; its queue is empty.</summary>
    Receiving = 1,

    /// <summary>Can run, on any CPU and on anybody's time.</summary>
    Ready = 2,

    /// <summary>Runs on <see cref="Component.Cpu"/>.</summary>
    Running = 3,

    /// <summary>Waits for an answer of the component <see cref="Component.WaitingFor"/>.</summary>
    Waiting = 4,
}

/// <summary>Whom a server owes an answer.</summary>
public enum ServingKind : byte
{
    Nobody = 0,

    /// <summary>A downcall: <see cref="Component.ServingIndex"/> is its index.</summary>
    Downcall = 1,

    /// <summary>The thread of the component <see cref="Component.ServingIndex"/>.</summary>
    Thread = 2,

    /// <summary>XnuProxy alone: a downcall that came back from an upcall; the answer goes to the thread that made the upcall.</summary>
    UpcallReturn = 3,

    /// <summary>Somebody who is gone: the answer is dropped.</summary>
    Orphan = 4,

    /// <summary>Nobody: a message that needs no answer (the world was reset).</summary>
    Notice = 5,
}
