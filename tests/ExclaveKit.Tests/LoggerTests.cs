using System;
using System.Collections.Generic;
using Exclaves.Abi;
using Exclaves.Kit;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>ILogger in a conclave: [] stands for the marks of what is private.</summary>
public partial class LoggerTests
{
    private readonly List<(LogSeverity Level, string Text)> _records = [];

    private ILogger Create(LogLevel least = LogLevel.Trace) =>
        new ConclaveLoggerProvider(least, (level, message) => _records.Add((level, message.ToString().Replace('\u000e', '[').Replace('\u000f', ']')))).CreateLogger("Vault");

    [Fact]
    public void TheTemplateIsPublicAndAValueIsPrivateUnlessItSaysOtherwise()
    {
        Create().LogWarning("{User} has {Count} keys of {Bytes,6:N0} bytes, {{}} {Missing}", "admin", 3.AsPublic(), 1234, null);
        Assert.Equal((LogSeverity.Warning, "Vault: [admin] has 3 keys of [ 1,234] bytes, {} [(null)]"), Assert.Single(_records));
    }

    [Fact]
    public void GeneratedMethodsAreTheSame()
    {
        Sealed(Create(), new("of text"), 7);
        Assert.Equal((LogSeverity.Information, "Vault: sealed [7] bytes of text"), Assert.Single(_records));
    }

    [Fact]
    public void AnExceptionsTypeIsPublicAndItsMessagePrivate()
    {
        Create().LogError(new InvalidOperationException("key 4711 is bad"), "no seal");
        Assert.Equal((LogSeverity.Error, "Vault: no seal [System.InvalidOperationException: [key 4711 is bad]]"), Assert.Single(_records));
    }

    [Fact]
    public void WhatHasNoTemplateIsPrivate()
    {
        Create().Log(LogLevel.Critical, default, 42, null, (state, _) => $"state {state}");
        Assert.Equal((LogSeverity.Critical, "Vault: [state 42]"), Assert.Single(_records));
    }

    /// <summary>Else a caller's text could end the part and be read.</summary>
    [Fact]
    public void AValueCannotEndItsPart()
    {
        Create().LogError("{Name}", "a\u000fb\u000ec");
        Assert.Equal("Vault: [a.b.c]", Assert.Single(_records).Text);
    }

    [Theory]
    [InlineData("{", "Vault: {")]
    [InlineData("}", "Vault: }")]
    [InlineData("{A", "Vault: {A")]
    [InlineData("a}b{A}", "Vault: a}b{A}")]
    public void ABrokenTemplateIsText(string template, string text)
    {
        Create().Log(LogLevel.Error, default, (IReadOnlyList<KeyValuePair<string, object?>>)[new("A", 1), new("{OriginalFormat}", template)], null, (_, _) => "");
        Assert.Equal(text, Assert.Single(_records).Text);
    }

    [Fact]
    public void LevelsBelowTheLeastAreNotRecords()
    {
        ILogger logger = Create(LogLevel.Warning);
        logger.LogInformation("no");
        logger.LogCritical("yes");
        Assert.Equal((LogSeverity.Critical, "Vault: yes"), Assert.Single(_records));
        Assert.False(logger.IsEnabled(LogLevel.None));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "sealed {Count} bytes {Kind}")]
    private static partial void Sealed(ILogger logger, PublicValue<string> kind, int count);
}
