using System;
using System.Globalization;
using System.IO;
using Exclaves.Client;
using Exclaves.Tightbeam;

namespace Exclaves.Vectors;

/// <summary>Runs public test vectors through the conclave: `vectors-client [--connect ADDRESS] [--every N] FOLDER`; `vectors-client lent` lends it buffers.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        string? address = null;
        if (arguments is ["--connect", string named, .. string[] rest])
        {
            (address, arguments) = (named, rest);
        }

        int every = 1;
        if (arguments is ["--every", string number, .. string[] others] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out every))
        {
            arguments = others;
        }

        if (arguments.Length != 1 || every < 1)
        {
            Console.Error.WriteLine("usage: vectors-client [--connect ADDRESS] [--every N] FOLDER, a copy of python3-cryptography-vectors; or lent");
            return 2;
        }

        try
        {
            ServiceName service = new(Guid.Parse(VectorsName.Uuid), "Vectors");
            if (arguments is ["lent"])
            {
                return LentCheck.Run(service);
            }

            using ServiceConnection connection = ServiceConnection.Open(service, address);
            VectorRun<ServiceConnection> run = new(connection, every);
            run.Run(arguments[0]);
            foreach (string failure in run.Failures)
            {
                Console.Out.WriteLine(failure);
            }

            Console.Out.Write(run.Report());
            return 0;
        }
        catch (Exception error) when (error is TeeException or TightbeamException or IOException)
        {
            Console.Error.WriteLine($"vectors-client: {error.Message}");
            return 1;
        }
    }
}
