using System.Collections.Generic;

namespace Exclaves.Attacks;

/// <summary>Calls of a hostile kernel past Linux's own driver.</summary>
internal static class CallRows
{
    private const string OwnCall = "the same call with what is Linux's own is answered";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        new("call.unknown", Invariant.I7, Stand.Kernel, "function id outside the list",
            "call function ids that nobody offers, a counter that is none, and the call form that was not negotiated",
            "SPTM: allow-list of calls", Control.Allowed("a function of the list is answered")),
        new("call.argument.secure", Invariant.I1, Stand.Kernel, "argument page of another's frame",
            "name secure frames, devices and nothing at all as the argument page that SPTM reads and writes",
            "SPTM: only a frame of Linux may be named", Control.Allowed(OwnCall)),
        new("call.argument.unaligned", Invariant.I7, Stand.Kernel, "argument page that is none",
            "name an argument page with an offset", "SPTM: whole pages alone", Control.Allowed(OwnCall)),
        new("call.cookie", Invariant.I7, Stand.Kernel, "name of a buffer that is none",
            "call with cookies nobody registered, and offsets at and over the end", "XnuProxy: cookie and place must be registered", Control.Allowed(OwnCall)),
        new("call.share.secure", Invariant.I1, Stand.Kernel, "page list with another's frame",
            "register a buffer whose page list holds a frame of SPTM, SK or the image between two of Linux's own",
            "SPTM: only frames of Linux can be lent", Control.Allowed("a list of three own pages is registered")),
        new("call.share.nowhere", Invariant.I1, Stand.Kernel, "page list with what is no frame",
            "register a buffer whose list holds devices, addresses beyond memory, unaligned and all-ones entries",
            "SK: lists name whole frames of RAM", Control.Allowed("a list of three own pages is registered")),
        new("call.list.secure", Invariant.I2, Stand.Kernel, "page list that lies in another's frame",
            "have the page list itself read from frames of the secure world and from devices",
            "SPTM: copies only out of frames of Linux", Control.Allowed("a list in an own page is read")),
        new("call.list.shape", Invariant.I7, Stand.Kernel, "page list of impossible shape",
            "lists that loop, sizes of 2^40 and 2^64 - 1, sizes that wrap, wrong attributes and parameter counts",
            "XnuProxy: size, attribute and count are checked on its copy", Control.Allowed("a list of the right shape is registered")),
        new("call.unregister", Invariant.I1, Stand.Kernel, "giving back what is not lent",
            "unregister cookies nobody has and one twice; the count of borrowed frames must come back to where it was",
            "XnuProxy: a cookie is withdrawn once", Control.Allowed("one page twice in a list and under two cookies is registered and given back")),
        new("call.message.parameters", Invariant.I7, Stand.Kernel, "message that lies about its length",
            "parameter counts up to 2^32 - 1, and a fifth parameter that no service can see",
            "XnuProxy: counts are bounded before they are used", Control.Allowed("the same message with five empty parameters is served")),
        new("call.message.attribute", Invariant.I7, Stand.Kernel, "parameter of a type that is none",
            "attributes that no parameter has, commands that no driver sends", "XnuProxy: types and commands by list", Control.Allowed("the same message with a value is served")),
        new("call.message.memory", Invariant.I7, Stand.Kernel, "reference past the end of a buffer",
            "memory references past and across the end of a buffer, offsets and sizes that wrap",
            "XnuProxy: every reference must lie in what was registered", Control.Allowed("the same reference inside the buffer is served")),
        new("call.message.physical", Invariant.I2, Stand.Kernel, "reference by physical address",
            "hand a service a physical address of the secure world as its buffer", "XnuProxy: physical references are refused", Control.Allowed("the same reference by cookie is served")),
        new("call.session", Invariant.I7, Stand.Kernel, "session of nobody",
            "call and close sessions that do not exist and one that was closed", "XnuProxy: sessions by table and generation", Control.Allowed("an open session is served")),
        new("call.token.forged", Invariant.I7, Stand.Kernel, "forged resume token",
            "resume with a thousand guessed tokens", "SK: a token must be the one it issued", Control.Allowed("the token that was issued resumes its call")),
        new("call.token.stale", Invariant.I8, Stand.Kernel, "resume token of an earlier suspension",
            "resume with a token of the same call's earlier suspension, and with one of a call that has ended",
            "SK: a token works once", Control.Allowed("the current token resumes the call, which ends right")),
        new("call.token.race", Invariant.I8, Stand.Kernel, "one resume token on two CPUs",
            "resume with one token on two CPUs in the same moment, fifty times", "SK: a token works once", Control.Allowed("the other CPU goes on with the call, which ends right")),
        new("call.upcall.lie", Invariant.I7, Stand.Kernel, "lie in the answer to an upcall",
            "answer a service's upcall with other counts, attributes, results and impossible times",
            "XnuProxy: an answer is copied once and judged", Control.Allowed("a true answer reaches the service")),
        new("call.flip", Invariant.I7, Stand.Kernel, "message that changes while it is read",
            "flip bits of the message from a second CPU during 5,000 calls", "XnuProxy: one copy, then judged", Control.Allowed("without flips every call is right")),
        new("call.session.flood", Invariant.I7, Stand.Kernel, "exhaustion of a table",
            "open sessions until there are no more", "XnuProxy: a full table is an answer", Control.Allowed("after they are closed a session opens and is served")),
        new("psci.closed", Invariant.I2, Stand.Kernel, "power call outside the list",
            "SMC with every power call that could hand memory or a CPU to the firmware", "SPTM: allow-list of power calls", Control.Allowed("PSCI_VERSION is answered")),
        new("psci.entry", Invariant.I2, Stand.Kernel, "start of a CPU in a secure frame",
            "CPU_ON with an entry in secure frames and devices, for every CPU, with the upper half of the id set",
            "SPTM: the entry must be executable for Linux", Control.Allowed("a running CPU with an entry of Linux's own gives ALREADY_ON")),
    ];
}
