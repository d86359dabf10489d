"""Shapes on the wire and SSE framing. Imports nothing else of claudex and does no I/O."""
