using Exclaves.Kit;

namespace Exclaves.Samples.JsonStore;

/// <summary>The conclave: <see cref="IJsonStore"/>, a store for each session.</summary>
public sealed class JsonStoreService : TightbeamService<IJsonStore, JsonStoreDispatcher<IJsonStore>>
{
    /// <summary>Bytes of all sessions' documents. With index, garbage and the collector's reserve they must fit the conclave's quota.</summary>
    public const int MaxDocumentBytes = 1 << 20;

    public JsonStoreService()
        : this(new Room(MaxDocumentBytes))
    {
    }

    private JsonStoreService(Room room)
        : base(() => new JsonStoreSession(room))
    {
    }
}
