using System.Text;
using Exclaves.Abi;

namespace Exclaves.Kit;

/// <summary>The text of a log record, part by part: what is private stays out of a production image's log.</summary>
public sealed class LogMessage
{
    private readonly StringBuilder _text = new();

    /// <summary>Whoever reads Linux's memory reads this.</summary>
    public LogMessage Public(string text)
    {
        AddClean(text);
        return this;
    }

    /// <summary>In a production image the log holds a word in place of this. A development image shows it, so no secret belongs here either.</summary>
    public LogMessage Private(string text)
    {
        _text.Append((char)LogText.PrivateStart);
        AddClean(text);
        _text.Append((char)LogText.PrivateEnd);
        return this;
    }

    /// <summary>As LogServer takes it.</summary>
    public override string ToString() => _text.ToString();

    /// <summary>A text of somebody else's cannot end the part that it stands in.</summary>
    private void AddClean(string text)
    {
        foreach (char character in text)
        {
            _text.Append(character is (char)LogText.PrivateStart or (char)LogText.PrivateEnd ? '.' : character);
        }
    }
}
