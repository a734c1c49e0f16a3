using System;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>A conclave that faults ends alone (I11): its caller is told, the others work on, and who opens a session anew finds it alive.</summary>
internal static class Crash
{
    public static int Run()
    {
        using TeeDevice device = TeeDevice.Open();
        using SignerClient signer = SignerClient.Open(device);
        using HelloClient hello = HelloClient.Open(device);
        hello.Null();

        TeeResult result = hello.Crash();
        Console.Out.WriteLine($"crash: Hello answered: {result}");
        bool told = result.Code == Tee.ErrorTargetDead;
        TeeResult later = hello.Session.TryInvoke((uint)HelloOperation.Null, []);
        Console.Out.WriteLine($"crash: the same session afterwards: {later}");

        _ = signer.Generate();
        _ = signer.Sign(new byte[SignerClient.DigestBytes]);
        Console.Out.WriteLine("crash: Signer still signs");

        // The next life of it begins with the next session; the old one stays dead.
        using HelloClient again = HelloClient.Open(device);
        again.Null();
        TeeResult old = hello.Session.TryInvoke((uint)HelloOperation.Null, []);
        Console.Out.WriteLine("crash: Hello answers in a new session");
        return told && !later.Succeeded && !old.Succeeded ? 0 : 1;
    }
}
