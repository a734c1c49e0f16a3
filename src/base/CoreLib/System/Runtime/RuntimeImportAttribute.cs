namespace System.Runtime;

/// <summary>Binds an extern method to a symbol of the image: a bare `bl`. Only freestanding sources can name it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeImportAttribute : Attribute
{
    public RuntimeImportAttribute(string entry) => EntryPoint = entry;

    public RuntimeImportAttribute(string dllName, string entry)
    {
        DllName = dllName;
        EntryPoint = entry;
    }

    public string? DllName { get; }

    public string EntryPoint { get; }
}

/// <summary>Gives a static method a symbol that assembly can call: a plain function. Only freestanding sources can name it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeExportAttribute(string entry) : Attribute
{
    public string EntryPoint { get; } = entry;
}
