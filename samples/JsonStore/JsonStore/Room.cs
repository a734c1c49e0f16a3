namespace Exclaves.Samples.JsonStore;

/// <summary>Bytes that all sessions share.</summary>
internal sealed class Room(int bytes)
{
    private int _left = bytes;

    /// <summary>Takes more, or with a negative number gives back.</summary>
    public bool TryTake(int more)
    {
        if (more > _left)
        {
            return false;
        }

        _left -= more;
        return true;
    }
}
