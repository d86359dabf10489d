"""Small servers on loopback that stand where our proxy should: a good one, and several strangers."""

import socket
import threading
from _blake2 import blake2b
from collections.abc import Callable
from types import TracebackType
from typing import Self

from claudex import __version__


class Listener:
    """Accepts connections, keeps all that it was sent, and answers with `reply(request)`; None keeps silent."""

    def __init__(self, reply: Callable[[bytes], bytes | None], port: int = 0) -> None:
        self.reply = reply
        self.received: list[bytes] = []
        self.connected = threading.Event()
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes the accept
        self._thread.join(5)
        self._socket.close()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        self.connected.set()
        try:
            request = connection.recv(65536)
            self.received.append(request)
            answer = self.reply(request)
            if answer is None:
                self._open.append(connection)
                return
            connection.sendall(answer)
        except OSError:
            pass
        connection.close()

    @property
    def everything(self) -> bytes:
        return b"".join(self.received)


def http(body: str, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n"
    return f"{head}{body}".encode()


def proxy(token: str, *, version: str = __version__, pid: int = 0) -> Callable[[bytes], bytes]:
    """What our proxy answers to /healthz and /api/retire."""

    def reply(request: bytes) -> bytes:
        if request.startswith(b"POST /api/retire"):
            return http('{"retiring":true,"in_flight":0}', "202 Accepted")
        nonce = request.split(b"nonce=")[1].split(b" ")[0]
        proof = blake2b(nonce, key=token.encode(), digest_size=32).hexdigest()
        fields = f'"version":"{version}","pid":{pid},"in_flight":0,"retiring":false,"proof":"{proof}"'
        return http(f'{{"ok":true,"instance_id":"abc123",{fields}}}')

    return reply


def silent(request: bytes) -> None:
    return None


def nothing(request: bytes) -> bytes:
    return b""


def ssh(request: bytes) -> bytes:
    return b"SSH-2.0-OpenSSH_9.6\r\n"


def web(request: bytes) -> bytes:
    return http("<h1>It works</h1>")


def not_found(request: bytes) -> bytes:
    return http('{"error":"no such page"}', "404 Not Found")


def other_claudex(request: bytes) -> bytes:
    return proxy("the token of another home")(request)
