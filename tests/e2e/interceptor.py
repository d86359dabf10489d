"""A CONNECT proxy that ends TLS itself and hands the plain requests to the simulator.

With it the official client runs with its production addresses and its built-in provider: zstd bodies, `version` header,
routing discovery and the WebSocket attempt included. Certificates are made by openssl and trusted by nobody else.
"""

import asyncio
import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOSTS = ("chatgpt.com", "auth.openai.com", "ab.chatgpt.com", "api.openai.com")
TIMEOUT_S = 10.0


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """(CA certificate, certificate and key of the hosts)."""
    ca, ca_key, leaf, request = (folder / name for name in ("ca.pem", "ca.key", "leaf.pem", "leaf.csr"))
    key = ["-newkey", "rsa:2048", "-nodes"]
    _openssl("req", "-x509", *key, "-keyout", ca_key, "-out", ca, "-subj", "/CN=throw-away", "-days", "2")
    _openssl("req", *key, "-keyout", leaf, "-out", request, "-subj", f"/CN={HOSTS[0]}")
    names = folder / "names.cnf"
    names.write_text("subjectAltName=" + ",".join(f"DNS:{host}" for host in HOSTS) + "\nbasicConstraints=CA:FALSE\n")
    signed = folder / "signed.pem"
    signer = ["-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile", names]
    _openssl("x509", "-req", "-in", request, *signer, "-out", signed)
    leaf.write_text(signed.read_text() + leaf.read_text())
    return ca, leaf


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@contextmanager
def intercepting(leaf: Path, target_port: int) -> Iterator[str]:
    """The proxy's URL; every tunnel ends at the simulator on `target_port`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(lambda *ends: _tunnel(*ends, context, target_port), "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(TIMEOUT_S)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(TIMEOUT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(TIMEOUT_S)
        loop.close()


async def _tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, target_port: int
) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(context)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target_port)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
    writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
