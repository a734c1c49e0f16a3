namespace Exclaves.Attack;

/// <summary>A registered page that carries messages, and the cookie it is registered under.</summary>
internal readonly record struct MessageSlot(KernelPage Page, ulong Cookie);
