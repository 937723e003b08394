"""A messenger for people who live in a terminal: no account, no server, no plaintext but on the two screens."""

__version__ = "0.1.0"
