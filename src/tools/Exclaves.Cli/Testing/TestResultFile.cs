using System;
using System.Collections.Generic;
using System.Linq;
using System.Xml.Linq;

namespace Exclaves.Cli.Testing;

/// <summary>Reads the result file (TRX) that `dotnet test` writes.</summary>
public static class TestResultFile
{
    private static readonly XNamespace Schema = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    public static SuiteResult Read(string name, XDocument document, TimeSpan time)
    {
        List<FailedTest> failures = [];
        int passed = 0;
        int skipped = 0;
        foreach (XElement result in document.Descendants(Schema + "UnitTestResult"))
        {
            switch ((string?)result.Attribute("outcome"))
            {
                case "Passed":
                    passed++;
                    break;
                case "NotExecuted":
                    skipped++;
                    break;
                default:
                    failures.Add(new FailedTest((string?)result.Attribute("testName") ?? "?", FirstLine(result)));
                    break;
            }
        }

        return new SuiteResult(name, passed, skipped, failures, time);
    }

    private static string FirstLine(XElement result)
    {
        string message = result.Descendants(Schema + "Message").FirstOrDefault()?.Value ?? "";
        return message.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0) ?? "no message";
    }
}
