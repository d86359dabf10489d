"""Who listens on the proxy's port? Asked in a way that tells a stranger nothing.

We send a random nonce; only a process that has the proxy token can answer its keyed BLAKE2. The token itself, and
whatever claude sends with it, goes there only after that.
"""

import _socket
import os
import time
from _blake2 import blake2b

from .. import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    State = Literal["ours", "none", "stranger", "starting"]

HOST = "127.0.0.1"
_KEY_LIMIT = 64  # bytes, BLAKE2b's own
_ANSWER_LIMIT = 65536  # bytes: a stranger may talk without end


def read_token(home: str) -> str:
    """The proxy's bearer token; empty when there is none yet. Raises OSError when it cannot be read."""
    try:
        with open(paths.proxy_token(home), "rb", 0) as file:
            return os.fsdecode(file.read()).strip()
    except FileNotFoundError:
        return ""


class Health:
    """`ours`: proved · `none`: nothing listens · `stranger`: answered without the proof · `starting`: silent so far."""

    __slots__ = ("detail", "instance_id", "pid", "state", "version")

    def __init__(
        self, state: "State", detail: str = "", *, instance_id: str = "", version: str = "", pid: int = 0
    ) -> None:
        self.state = state
        self.detail = detail
        self.instance_id = instance_id
        self.version = version
        self.pid = pid


class Question:
    """One `GET /healthz`, sent when made, so that the proxy answers while the caller does something else."""

    def __init__(self, port: int, timeout: float = 1.0) -> None:
        # With the port: our proxy on another one gives no proof that a stranger here could pass on.
        self._nonce = f"{os.urandom(16).hex()}-{port}"
        self._request = (
            f"GET /healthz?nonce={self._nonce} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode()
        )
        self._failure: OSError | None = None
        self._socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect((HOST, port))
            self._socket.sendall(self._request)
        except OSError as error:
            self._failure = error

    def answer(self, token: str, timeout: float = 1.0) -> Health:
        """Waits up to `timeout` seconds in all, however slowly the other side talks."""
        try:
            if self._failure:
                raise self._failure
            data = _receive(self._socket, timeout)
        except ConnectionRefusedError:
            return Health("none")
        except TimeoutError:
            return Health("starting", f"silent for {timeout:.0f} s")
        except OSError as error:
            return Health("starting", f"closed the connection ({error.strerror})")
        finally:
            self._socket.close()
        return self._judge(data, token)

    def _judge(self, data: bytes, token: str) -> Health:
        if not data:
            return Health("starting", "closed the connection")
        if data == self._request:  # nobody listened, and TCP connected our port to itself
            return Health("none")
        if not data.startswith(b"HTTP/1."):
            return Health("stranger", "it does not speak HTTP")
        body = data.partition(b"\r\n\r\n")[2]
        proof = blake2b(self._nonce.encode(), key=token.encode()[:_KEY_LIMIT], digest_size=32).hexdigest()
        if field(body, b"proof") != proof:
            known = field(body, b"instance_id") != ""
            return Health("stranger", "a claudex proxy with another token" if known else "it cannot prove to be ours")
        pid = field(body, b"pid")
        return Health(
            "ours",
            instance_id=field(body, b"instance_id"),
            version=field(body, b"version"),
            pid=int(pid) if pid.isdigit() else 0,
        )


def check(port: int, token: str, timeout: float = 1.0) -> Health:
    return Question(port, timeout).answer(token, timeout)


def request(port: int, token: str, method: str, path: str, timeout: float = 1.0) -> tuple[int, bytes]:
    """Status and body of one call with the token. Only after `check` said `ours`. Raises OSError."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {token}\r\n"
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((HOST, port))
        connection.sendall(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        data = _receive(connection, timeout, limit=1 << 30)
    finally:
        connection.close()
    status = data[9:12]
    if not status.isdigit():
        raise ConnectionResetError(0, "the answer is not HTTP")
    return int(status), data.partition(b"\r\n\r\n")[2]


def _receive(connection: _socket.socket, timeout: float, limit: int = _ANSWER_LIMIT) -> bytes:
    """What came until the answer was whole, plainly not HTTP, or late. Raises TimeoutError when nothing came at all."""
    deadline = time.monotonic() + timeout
    chunks = bytearray()
    while len(chunks) < limit and not _whole(chunks):
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            chunk = connection.recv(65536)
        except TimeoutError:
            if not chunks:
                raise
            break
        if not chunk:
            break
        chunks += chunk
    return bytes(chunks)


def _whole(data: bytearray) -> bool:
    if len(data) >= 7 and not data.startswith(b"HTTP/1."):
        return True
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = data[:end].lower()
    found = head.find(b"\r\ncontent-length:")
    if found < 0:
        return False
    length = head[found + 17 :].partition(b"\r\n")[0].strip()
    return length.isdigit() and len(data) - end - 4 >= int(length)


def field(body: bytes, name: bytes) -> str:
    """A plain string or number of a flat JSON object; believed only once the proof is right, hence no parser."""
    rest = body.partition(b'"' + name + b'":')[2].lstrip()
    if rest[:1] == b'"':
        return rest[1:].partition(b'"')[0].decode(errors="replace")
    return rest.partition(b",")[0].partition(b"}")[0].strip().decode(errors="replace")
