"""What the proxy costs: its cold start, the time it adds to the first event, and its CPU for each event.

    python -m tests.bench.bench_proxy

The yardstick is a plain TCP splice in front of the same simulator, in a process of its own like the proxy, carrying the
same upstream streams. Rounds are interleaved, so that a busy machine slows both sides.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from claudex.codex.catalog import Catalog
from claudex.simulator import Simulator, sse
from claudex.translate.messages.request import translate
from claudex.translate.models import resolve
from tests.proxy.harness import MODEL, TOKEN, ask, make_home

EVENTS = 20_000
READ = 1 << 18
Exchange = Callable[[], float]


def stream_of(events: int) -> bytes:
    """An answer of that many text deltas, as the backend frames them."""
    item = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    response = {"id": "resp_1", "usage": {"input_tokens": 10, "output_tokens": events, "total_tokens": events + 10}}
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    said = [
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        *({**delta, "delta": f"word{number} "} for number in range(events)),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**response, "output": []}},
    ]
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(e["type"]).encode(), json.dumps(e).encode()) for e in said)


@contextmanager
def process(argv: list[str], sock: socket.socket, environ: dict[str, str]) -> Iterator[psutil.Process]:
    child = subprocess.Popen([sys.executable, *argv], pass_fds=[sock.fileno()], env={**os.environ, **environ})
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait()


def post(port: int, path: str, headers: dict[str, str], body: bytes) -> tuple[float, float]:
    """Seconds to the first byte of the body, and to its end."""
    fields = {"Host": f"127.0.0.1:{port}", "Connection": "close", "Content-Length": str(len(body)), **headers}
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.perf_counter()
        connection.sendall(head.encode() + body)
        received = b""
        while not received.partition(b"\r\n\r\n")[2]:
            received += _some(connection)
        first = time.perf_counter() - began
        assert received.startswith(b"HTTP/1.1 200"), received[:500]
        while connection.recv(READ):
            pass
        return first, time.perf_counter() - began


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(READ)
    assert data, "the connection was closed too early"
    return data


def splice(fd: int, upstream: int) -> None:
    """Copies bytes both ways between each connection and the simulator."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(READ):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    async def main() -> None:
        server = await asyncio.start_server(serve, sock=socket.socket(fileno=fd))
        await server.serve_forever()

    import uvloop

    uvloop.run(main())


def cold_start(home: Path, environ: dict[str, str]) -> float:
    """Seconds from the spawn to the answer of the first health check, which waits in the backlog."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        began = time.perf_counter()
        argv = ["-P", "-m", "claudex.proxy", "--fd", str(sock.fileno())]
        with process(argv, sock, environ), socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            return time.perf_counter() - began


def bare_start() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def upstream_request(simulator: Simulator, access_token: str, account: str) -> tuple[dict[str, str], bytes]:
    """What the proxy would send: for the splice, which translates nothing."""
    models = Catalog.embedded().models
    request = json.dumps(ask()).encode()
    body = translate(request, target=resolve(MODEL, None, {}, models), catalog=models)
    headers = {
        "authorization": f"Bearer {access_token}",
        "chatgpt-account-id": account,
        "originator": "codex_cli_rs",
        "version": "0.169.0",
        "user-agent": "codex_cli_rs/0.169.0 (Linux 6.1; x86_64) xterm",
        "session-id": body.cache_key,
        "content-type": "application/json",
        "accept": "text/event-stream",
    }
    if body.lane == "lite":
        headers["x-openai-internal-codex-responses-lite"] = "true"
    return headers, body.body


def compare(rounds: int, here: Path) -> dict[str, float]:
    (here / "codex").mkdir()
    home = make_home(here / "gateway")
    with Simulator.threaded(split=False) as simulator:
        account = simulator.login(here / "codex")
        environ = {**simulator.environ(here / "codex"), "CLAUDEX_GATEWAY_HOME": str(home)}
        upstream_port = int(simulator.origin.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("127.0.0.1", 0)) as plain:
            argv = ["-m", "tests.bench.bench_proxy", "splice", str(plain.fileno()), str(upstream_port)]
            with (
                process(["-m", "claudex.proxy", "--fd", str(ours.fileno())], ours, environ) as proxy,
                process(argv, plain, {}) as tcp,
            ):
                headers, body = upstream_request(simulator, account.access_token, account.account_id)
                anthropic = {"x-api-key": TOKEN, "anthropic-version": "2023-06-01", "content-type": "application/json"}
                anthropic["user-agent"] = "claude-cli/2.1.329 (external, sdk-cli)"
                asked = json.dumps(ask()).encode()
                ways = {
                    "proxy": lambda: post(ours.getsockname()[1], "/v1/messages", anthropic, asked),
                    "splice": lambda: post(plain.getsockname()[1], "/backend-api/codex/responses", headers, body),
                }
                return measure(simulator, ways, {"proxy": proxy, "splice": tcp}, rounds)


def measure(
    simulator: Simulator,
    ways: dict[str, Callable[[], tuple[float, float]]],
    processes: dict[str, psutil.Process],
    rounds: int,
) -> dict[str, float]:
    first: dict[str, list[float]] = {way: [] for way in ways}
    cpu: dict[str, list[float]] = {way: [] for way in ways}
    short, long = stream_of(20), stream_of(EVENTS)
    for number in range(rounds + 2):
        for way, go in ways.items():
            simulator.play(sse(short))
            took = go()[0]
            simulator.play(sse(long))
            before = _cpu(processes[way])
            go()
            if number >= 2:  # the first rounds warm connections and caches
                first[way].append(took)
                cpu[way].append((_cpu(processes[way]) - before) / EVENTS)
    return {
        "first_event_ms_proxy": statistics.median(first["proxy"]) * 1e3,
        "first_event_ms_splice": statistics.median(first["splice"]) * 1e3,
        "added_first_event_ms": (statistics.median(first["proxy"]) - statistics.median(first["splice"])) * 1e3,
        "cpu_us_per_event_proxy": statistics.mean(cpu["proxy"]) * 1e6,
        "cpu_us_per_event_splice": statistics.mean(cpu["splice"]) * 1e6,
    }


def _cpu(one: psutil.Process) -> float:
    times = one.cpu_times()
    return float(times.user + times.system)


def run(rounds: int = 15) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "cold")
        environ = {"CLAUDEX_GATEWAY_HOME": str(home), "CLAUDEX_UPSTREAM": "http://127.0.0.1:9/backend-api"}
        starts = [(cold_start(home, environ), bare_start()) for _ in range(rounds)]
        cold, bare = (statistics.median(times) for times in zip(*starts, strict=True))
        found = {"cold_start_ms": cold * 1e3, "cold_start_over_python_pass": cold / bare}
        return {**found, **compare(rounds, Path(folder))}


if __name__ == "__main__":
    if sys.argv[1:2] == ["splice"]:
        splice(int(sys.argv[2]), int(sys.argv[3]))
    else:
        for name, value in run().items():
            print(f"{name:>28} {value:10.2f}")
