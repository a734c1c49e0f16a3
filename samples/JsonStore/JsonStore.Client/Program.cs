using System;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Exclaves.Client;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.JsonStore;

/// <summary>`json-store-client [--connect ADDRESS] demo | soak MEBIBYTES`.</summary>
internal static class Program
{
    private const ulong Mebibyte = 1 << 20;
    private const int Seed = 20;

    private static int Main(string[] arguments)
    {
        string? address = null;
        if (arguments is ["--connect", string named, .. string[] rest])
        {
            (address, arguments) = (named, rest);
        }

        try
        {
            using ServiceConnection connection = ServiceConnection.Open(new ServiceName(Guid.Parse(JsonStoreName.Uuid), "JsonStore"), address);
            switch (arguments)
            {
                case ["demo"]:
                    Demo(connection);
                    return 0;
                case ["soak", string amount] when ulong.TryParse(amount, NumberStyles.None, CultureInfo.InvariantCulture, out ulong mebibytes):
                    return Soak(connection, mebibytes);
                default:
                    Console.Error.WriteLine("usage: json-store-client [--connect ADDRESS] demo | soak MEBIBYTES");
                    return 2;
            }
        }
        catch (Exception error) when (error is TeeException or TightbeamException)
        {
            Console.Error.WriteLine($"json-store-client: {error.Message}");
            return 1;
        }
    }

    private static void Demo(ServiceConnection connection)
    {
        JsonStoreClient<ServiceConnection> store = new(connection);
        store.Require(store.Put("anna"u8, """{ "name": "Anna", "city": "Bern", "age": 41 }"""u8, out _));
        store.Require(store.Put("beat"u8, """{ "name": "Beat", "city": "Chur", "age": 35 }"""u8, out _));
        store.Require(store.Put("carl"u8, """{ "name": "Carl", "city": "Bern", "age": 29 }"""u8, out _));
        store.Require(store.Add("age"u8, 1, out uint changed));

        byte[] answer = new byte[3072];
        store.Require(store.Find("city"u8, "\"Bern\""u8, answer.AsSpan(0, 2048), out int bytes, out uint found));
        Console.WriteLine($"{changed} are a year older; {found} in Bern: {Encoding.UTF8.GetString(answer, 0, bytes)}");
        store.Require(store.Get("anna"u8, answer, out bytes));
        Console.WriteLine(Encoding.UTF8.GetString(answer, 0, bytes));
    }

    private static int Soak(ServiceConnection connection, ulong mebibytes)
    {
        StoreSoak<ServiceConnection> soak = new(connection, Seed);
        long start = Stopwatch.GetTimestamp();
        ulong next = 0;
        soak.Run(mebibytes * Mebibyte, allocated =>
        {
            if (allocated >= next)
            {
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"soak: {allocated / Mebibyte} MiB after {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s"));
                next = allocated + (256 * Mebibyte);
            }
        });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"soak: {soak.Wrong} of {soak.Calls} answers wrong; {soak.AllocatedBytes / Mebibyte} MiB allocated, {soak.Collections} collections"));
        return soak.Wrong == 0 ? 0 : 1;
    }
}
