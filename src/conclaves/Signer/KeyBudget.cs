namespace Exclaves.Signer;

/// <summary>How many keys all sessions hold together.</summary>
public sealed class KeyBudget(int most)
{
    private int _taken;

    public bool TryTake()
    {
        if (_taken >= most)
        {
            return false;
        }

        _taken++;
        return true;
    }

    public void Return() => _taken--;
}
