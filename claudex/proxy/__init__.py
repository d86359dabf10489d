"""The server process on loopback."""
