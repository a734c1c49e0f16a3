using System;
using System.Collections.Generic;
using System.Text;
using Exclaves.Abi;
using Exclaves.Tightbeam.Sample;
using Xunit;

namespace Exclaves.Tightbeam.Tests;

/// <summary>What a service throws reaches the caller, and says no more than it may.</summary>
public class ExceptionTests
{
    [Theory]
    [InlineData(6u, Status.NotFound, "there is no key 'alpha'")]
    [InlineData(7u, Status.Denied, "not you")]
    [InlineData(9u, Status.BadCall, null)]
    [InlineData(1u, Status.Busy, "")]
    [InlineData(2u, Status.Failed, "")]
    [InlineData(3u, Status.Failed, "")]
    [InlineData(4u, Status.Failed, "")]
    public void AnExceptionBecomesATypedErrorWithItsText(uint how, Status expected, string? text)
    {
        Loop loop = new();
        Status status = loop.Client.Misbehave(how, new byte[16], out int written, out Colour colour);
        Assert.Equal((expected, 0, Colour.None), (status, written, colour));
        string said = Encoding.UTF8.GetString(loop.Client.FailureText);
        Assert.Equal(text ?? new NotImplementedException().Message, said);

        TightbeamException thrown = Assert.Throws<TightbeamException>(() => loop.Client.Require(status));
        Assert.Equal((expected, said), (thrown.Status, thrown.Text));
        Assert.Contains(expected.ToString(), thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6u, Status.NotFound)]
    [InlineData(7u, Status.Denied)]
    [InlineData(8u, Status.BadState)]
    public void InProductionTheTextStaysInside(uint how, Status expected)
    {
        Loop loop = new(ServiceText.Redacted) { Record = true };
        Assert.Equal(expected, loop.Client.Misbehave(how, new byte[16], out _, out _));
        Assert.Equal(0, loop.Client.FailureText.Length);
        Assert.Equal(WireHeader.Bytes + sizeof(uint), loop.Answered.Length);
    }

    [Fact]
    public void AnErrorOfTheInterfacesOwnIsThrownTyped()
    {
        Loop loop = new();
        Result<SampleError> result = loop.Client.Shout(1001, out _);
        Assert.Equal(SampleError.TooLoud, result.Error);
        TightbeamException thrown = Assert.Throws<TightbeamException>(() => loop.Client.Require(result));
        Assert.Equal((Status.Ok, (uint)SampleError.TooLoud, "1001 is more than 1000"), (thrown.Status, thrown.Error, thrown.Text));
        loop.Client.Require(loop.Client.Shout(8, out _));
    }

    [Fact]
    public void OnlyWhatNobodyMeantIsReported()
    {
        Loop loop = new();
        _ = loop.Client.Misbehave(7, default, out _, out _);
        Assert.Empty(loop.Reported);
        _ = loop.Client.Misbehave(6, default, out _, out _);
        Assert.IsType<KeyNotFoundException>(Assert.Single(loop.Reported));
    }

    [Fact]
    public void ALongTextIsCutBetweenCharacters()
    {
        Loop loop = new();
        Assert.Equal(Status.BadState, loop.Client.Misbehave(8, default, out _, out _));
        Assert.Equal(new string('ä', WireHeader.MaxTextBytes / 2), Encoding.UTF8.GetString(loop.Client.FailureText));
    }

    [Fact]
    public void WhatAServiceDoesNotWriteIsZero()
    {
        Loop loop = new();
        Assert.Equal(Status.Ok, loop.Client.Fill(0xEE, new byte[300]));
        byte[] buffer = new byte[16];
        Assert.Equal(Status.Ok, loop.Client.Misbehave(5, buffer, out int written, out _));
        Assert.Equal(16, written);
        Assert.All(buffer, b => Assert.Equal(0, b));
    }
}
