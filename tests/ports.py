"""Ports for proxies that tests start, stop and start again."""

import random
import socket

# Below the range from which Linux (32768) and macOS (49152) give ports to outgoing connections: a port that is free
# between a stop and a start must not be lent to somebody's connection meanwhile.
PORTS = range(20_000, 32_000, 2)  # every other one, since some tests move to the port beside theirs
_system = random.SystemRandom()  # hypothesis seeds the global one, and every worker would choose the same


def free_port() -> int:
    for _ in range(100):
        port = _system.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port in a hundred tries")
