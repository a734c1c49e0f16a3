using System;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>What on the console means that the guest is lost.</summary>
public class ConsoleWatchTests
{
    [Theory]
    [InlineData("[    4.1] Kernel panic - not syncing: sysrq triggered crash", "the guest's kernel panicked: sysrq triggered crash")]
    [InlineData("[   30.0] rcu: INFO: rcu_sched self-detected stall on CPU", "the guest's kernel reports a stalled CPU: rcu: INFO: rcu_sched self-detected stall on CPU")]
    [InlineData("[   30.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "the guest's kernel reports a stalled CPU: rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:")]
    [InlineData("[   30.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!", "the guest's kernel reports a stalled CPU: watchdog: BUG: soft lockup - CPU#0 stuck for 22s!")]
    public void TroubleIsSeen(string line, string trouble)
    {
        ConsoleWatch watch = new();
        watch.Take(line, TimeSpan.Zero);
        Assert.Equal(trouble, watch.Trouble);
    }

    [Theory]
    [InlineData("checked: a TLBI is missing: 0x0, 0x0", "SPTM panicked: checked: a TLBI is missing: 0x0, 0x0")]
    [InlineData("cannot boot: this machine has two host bridges", "SPTM does not boot this machine: this machine has two host bridges")]
    public void WhatTheMonitorReportsOfItselfIsTrouble(string message, string trouble)
    {
        ConsoleWatch watch = new();
        watch.Take("[Exclaves] panic in SPTM: " + message, TimeSpan.Zero);
        Assert.Null(watch.Trouble);
        watch.Take("[Exclaves] cpu 0 pc 0x40200000 sp 0x0 pstate 0x0 esr 0x0 far 0x0", TimeSpan.Zero);
        watch.Take("[Exclaves] end: the machine stops", TimeSpan.Zero);
        Assert.Equal(trouble, watch.Trouble);
    }

    [Theory]
    [InlineData("[    5.0] Unable to handle kernel paging request at virtual address ffff000080000000")]
    [InlineData("[    5.0] Internal error: Oops: 000000009600000f [#1] SMP")]
    [InlineData("[    5.0] rcu: Hierarchical RCU implementation.")]
    public void AnOopsOrAnOrdinaryLineIsNone(string line)
    {
        ConsoleWatch watch = new();
        watch.Take(line, TimeSpan.Zero);
        Assert.Null(watch.Trouble);
    }

    [Fact]
    public void AMissingSecureWorldIsSeenAndNoTrouble()
    {
        ConsoleWatch watch = new();
        watch.Take("[    3.3] exclave: no secure world: conclave 'Signer' does not match its digest", TimeSpan.Zero);
        Assert.Equal("conclave 'Signer' does not match its digest", watch.NoSecureWorld);
        Assert.Null(watch.Trouble);
    }

    [Fact]
    public void StagesAreTimed()
    {
        ConsoleWatch watch = new();
        watch.Take("SPTM: image 6 components", TimeSpan.FromSeconds(0.5));
        watch.Take("[    0.0] Booting Linux on physical CPU 0x0", TimeSpan.FromSeconds(1));
        watch.Take("[    2.1] exclave: stage tee 2.10", TimeSpan.FromSeconds(3));
        Assert.False(watch.IsReady);
        watch.Take("[    2.2] exclave: stage ready 2.20", TimeSpan.FromSeconds(3.25));
        Assert.True(watch.IsReady);
        Assert.Equal("first output +0.50, kernel +0.50, tee +2.00, ready +0.25 = 3.25 s", watch.FormatStages());
    }
}
