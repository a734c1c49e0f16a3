using System;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Entropy.Tests;

/// <summary>The driver against devices that do as they should, and as they should not.</summary>
public class RandomDeviceTests
{
    private static (RandomDevice<FakeDevice> Driver, FakeDevice.State Device) Ready()
    {
        FakeDevice.State device = FakeDevice.Reset(Fault.None);
        RandomDevice<FakeDevice> driver = default;
        Assert.Equal(Status.Ok, driver.Initialize());
        return (driver, device);
    }

    [Fact]
    public void TheDeviceComesUpAsTheSpecificationOrders()
    {
        var (driver, device) = Ready();
        Assert.True(driver.IsReady);
        Assert.Equal([0u, 3, 11, 15], device.Statuses);
        Assert.Equal(1u, device.Register(VirtioRegister.QueueSize));
        Assert.Equal((0x2345_6000u, 1u), (device.Register(VirtioRegister.QueueDescriptorLow), device.Register(VirtioRegister.QueueDescriptorHigh)));
        Assert.Equal((0x2345_6040u, 1u), (device.Register(VirtioRegister.QueueDriverLow), device.Register(VirtioRegister.QueueDriverHigh)));
        Assert.Equal((0x2345_6080u, 1u), (device.Register(VirtioRegister.QueueDeviceLow), device.Register(VirtioRegister.QueueDeviceHigh)));
    }

    [Theory]
    [InlineData(Fault.BadMagic)]
    [InlineData(Fault.LegacyVersion)]
    [InlineData(Fault.OtherDevice)]
    [InlineData(Fault.NeverResets)]
    [InlineData(Fault.NoModernFeature)]
    [InlineData(Fault.RefusesFeatures)]
    [InlineData(Fault.NoQueue)]
    [InlineData(Fault.QueueBusy)]
    [InlineData(Fault.QueueNotTaken)]
    public void OtherDevicesAreRefused(Fault fault)
    {
        FakeDevice.State device = FakeDevice.Reset(fault);
        RandomDevice<FakeDevice> driver = default;
        Assert.Equal(Status.DeviceError, driver.Initialize());
        Assert.False(driver.IsReady);
        Assert.True(device.Pauses <= RandomDevice<FakeDevice>.Patience);
        Assert.DoesNotContain(15u, device.Statuses);
        byte[] output = [1, 2, 3];
        Assert.Equal(Status.DeviceError, driver.Fill(output));
        Assert.Equal([0, 0, 0], output);
        Assert.Equal(0, device.Notifications);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2048, 1)]
    [InlineData(2049, 2)]
    [InlineData(4032, 2)]
    public void OutputIsTheDevicesAndLeavesNoCopy(int bytes, int requests)
    {
        var (driver, device) = Ready();
        byte[] output = new byte[bytes];
        Assert.Equal(Status.Ok, driver.Fill(output));
        Assert.Equal(device.Given, output);
        Assert.Equal(requests, device.Notifications);
        Assert.True(device.Memory.AsSpan(RandomDevice<FakeDevice>.BufferOffset).IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void ShortAnswersAddUp()
    {
        var (driver, device) = Ready();
        device.Fault = Fault.ShortAnswers;
        byte[] output = new byte[64];
        Assert.Equal(Status.Ok, driver.Fill(output));
        Assert.Equal(13, device.Notifications);
        Assert.Equal(device.Given, output);
    }

    [Theory]
    [InlineData(Fault.Silent)]
    [InlineData(Fault.SkipsIndex)]
    [InlineData(Fault.IndexGoesBack)]
    [InlineData(Fault.BadId)]
    [InlineData(Fault.ZeroLength)]
    [InlineData(Fault.TooLong)]
    [InlineData(Fault.HugeLength)]
    public void ADeviceThatBreaksTheProtocolIsResetAndLeftAlone(Fault fault)
    {
        var (driver, device) = Ready();
        Assert.Equal(Status.Ok, driver.Fill(new byte[100]));
        device.Fault = fault;
        byte[] output = [.. Enumerable.Repeat((byte)7, 100)];
        Assert.Equal(Status.DeviceError, driver.Fill(output));
        Assert.True(output.AsSpan().IndexOfAnyExcept((byte)0) < 0);
        Assert.False(driver.IsReady);
        Assert.Equal(0u, device.Statuses[^1]);
        Assert.Contains(128u, device.Statuses);

        // Silence is waited for with bounds; everything else is seen at once.
        Assert.Equal(fault == Fault.Silent ? RandomDevice<FakeDevice>.Patience : 0, device.Pauses);

        // Healthy again is not enough: it must be brought up anew.
        device.Fault = Fault.None;
        int before = device.Notifications;
        Assert.Equal(Status.DeviceError, driver.Fill(output));
        Assert.Equal(before, device.Notifications);
        Assert.Equal(Status.Ok, driver.Initialize());
        Assert.Equal(Status.Ok, driver.Fill(output));
    }

    [Fact]
    public void AFailureInTheMiddleLeavesNothing()
    {
        var (driver, device) = Ready();
        byte[] output = new byte[4032];
        Assert.Equal(Status.Ok, driver.Fill(output));
        device.Fault = Fault.Silent;
        Assert.Equal(Status.DeviceError, driver.Fill(output));
        Assert.True(output.AsSpan().IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void OutputThatStandsStillIsRefused()
    {
        var (driver, device) = Ready();
        device.Fault = Fault.Stuck;
        byte[] output = new byte[32];
        Assert.Equal(Status.DeviceError, driver.Fill(output));
        Assert.True(output.AsSpan().IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void ADeviceThatScribblesOnTheRingsMisleadsNobody()
    {
        var (driver, device) = Ready();
        device.Fault = Fault.ScribblesOnRings;
        byte[] output = new byte[5000];
        Assert.Equal(Status.Ok, driver.Fill(output));
        Assert.Equal(device.Given, output);
    }

    [Fact]
    public void TheIndexWraps()
    {
        var (driver, _) = Ready();
        byte[] output = new byte[1];
        for (int i = 0; i < 0x1_0010; i++)
        {
            Assert.Equal(Status.Ok, driver.Fill(output));
        }
    }

    [Theory]
    [InlineData(15, false)]
    [InlineData(16, true)]
    [InlineData(17, true)]
    public void SixteenEqualBytesAreSuspicious(int run, bool stuck)
    {
        for (int at = 0; at < 40; at++)
        {
            byte[] output = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];
            output.AsSpan(at, run).Fill(0xEE);
            Assert.Equal(stuck, RandomDevice<FakeDevice>.IsStuck(output));
        }
    }

    /// <summary>Whatever the used ring says: all or nothing comes out, and nothing throws.</summary>
    [Fact]
    public void RandomFaultsNeverLeaveHalfAnAnswer()
    {
        Fault[] faults = [Fault.None, Fault.SkipsIndex, Fault.IndexGoesBack, Fault.BadId, Fault.ZeroLength, Fault.TooLong, Fault.HugeLength, Fault.Stuck, Fault.ShortAnswers, Fault.ScribblesOnRings];
        Gen.Select(Gen.Int[0, faults.Length - 1], Gen.Int[1, 4032]).Array[1, 20].Sample(steps =>
        {
            var (driver, device) = Ready();
            foreach (var (fault, bytes) in steps)
            {
                device.Fault = faults[fault];
                device.Given.Clear();
                byte[] output = [.. Enumerable.Repeat((byte)7, bytes)];
                if (driver.Fill(output) == Status.Ok)
                {
                    Assert.Equal(device.Given, output);
                }
                else
                {
                    Assert.True(output.AsSpan().IndexOfAnyExcept((byte)0) < 0);
                }

                if (!driver.IsReady)
                {
                    Assert.Equal(Status.Ok, driver.Initialize());
                }
            }
        }, iter: 200);
    }

    private static (RandomDevice<FakeDevice> Driver, FakeDevice.State Device) Slow(System.Func<int, bool> onWait)
    {
        var (driver, device) = Ready();
        device.IsSlow = true;
        device.OnWait = onWait;
        return (driver, device);
    }

    /// <summary>Linux brings interrupts for nothing, too.</summary>
    [Fact]
    public void ASlowDeviceIsWaitedForAndThenInterrupts()
    {
        FakeDevice.State? current = null;
        var (driver, device) = Slow(wait =>
        {
            Assert.True(current!.MayInterrupt);
            Assert.Equal(RandomDevice<FakeDevice>.Polls, current.Pauses);
            if (wait == 5)
            {
                current.Answer();
            }

            return true;
        });
        current = device;
        byte[] output = new byte[100];
        Assert.Equal(Status.Ok, driver.Fill(output));
        Assert.Equal(device.Given, output);
        Assert.Equal((5, 1), (device.Waits, device.Notifications));

        device.IsSlow = false;
        Assert.Equal(Status.Ok, driver.Fill(output));
        Assert.Equal((5, false), (device.Waits, device.MayInterrupt));
    }

    /// <summary>The device answers, without an interrupt, just before it sees that one is wanted.</summary>
    [Fact]
    public void AnAnswerBetweenTheLastLookAndTheWaitIsSeen()
    {
        var (driver, device) = Slow(_ => throw new System.InvalidOperationException("nobody will come"));
        device.OnBarrier = () =>
        {
            if (device.MayInterrupt && device.Notifications != 0)
            {
                device.OnBarrier = null;
                device.Answer();
            }
        };
        Assert.Equal(Status.Ok, driver.Fill(new byte[32]));
        Assert.Equal(0, device.Waits);
    }

    [Theory]
    [InlineData(100, 40)]
    [InlineData(100, 100)]
    [InlineData(40, 100)]
    [InlineData(2048, 1)]
    public void WhatACancelledCallerAskedForGoesToTheNextOne(int first, int second)
    {
        var (driver, device) = Slow(wait => wait < 3);
        byte[] output = [.. Enumerable.Repeat((byte)7, first)];
        Assert.Equal(Status.Cancelled, driver.Fill(output));
        Assert.True(driver.IsReady);
        Assert.True(output.AsSpan().IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(3, device.Waits);

        device.Answer();
        device.IsSlow = false;
        output = new byte[second];
        Assert.Equal(Status.Ok, driver.Fill(output));
        Assert.Equal(device.Given[..System.Math.Min(first, second)], output[..System.Math.Min(first, second)]);
        Assert.Equal(first < second ? 2 : 1, device.Notifications);
        Assert.True(device.Memory.AsSpan(RandomDevice<FakeDevice>.BufferOffset).IndexOfAnyExcept((byte)0) < 0);
    }

    /// <summary>Woken for nothing, late: an answer that is there counts, however late it is seen.</summary>
    [Theory]
    [InlineData(false, Status.DeviceError)]
    [InlineData(true, Status.Ok)]
    public void ADeviceThatSaysNothingForSecondsIsLeftAlone(bool answers, Status expected)
    {
        FakeDevice.State? current = null;
        var (driver, device) = Slow(wait =>
        {
            current!.Seconds += 4;
            if (wait == 3 && answers)
            {
                current.Answer();
            }

            return wait < 10;
        });
        current = device;
        Assert.Equal(expected, driver.Fill(new byte[32]));
        Assert.Equal((3, expected == Status.Ok), (device.Waits, driver.IsReady));
    }
}
