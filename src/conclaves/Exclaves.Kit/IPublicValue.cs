namespace Exclaves.Kit;

/// <summary>A value that the log of a production image may show.</summary>
internal interface IPublicValue;
