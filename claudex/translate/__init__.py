"""Pure translation between the dialects: no I/O, no clock, no logging."""
