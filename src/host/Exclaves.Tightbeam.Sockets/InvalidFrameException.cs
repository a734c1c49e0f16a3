using System;

namespace Exclaves.Tightbeam.Sockets;

/// <summary>The peer broke the rules of frames: its connection ends.</summary>
public sealed class InvalidFrameException(string message) : Exception(message);
