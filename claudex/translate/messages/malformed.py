"""A value in the request has the wrong shape: where, and what it should be."""

from ...errors import BadRequest


class Malformed(BadRequest):
    """The path grows on the way up: `text`, then `content[0].text`, then `messages[3].content[0].text`."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path or 'The request body'} {why}")
        self.path = path
        self.why = why

    def under(self, outer: str) -> "Malformed":
        return Malformed(join(outer, self.path), self.why)


def join(outer: str, inner: str) -> str:
    if not inner or not outer:
        return outer or inner
    return f"{outer}{inner}" if inner.startswith("[") else f"{outer}.{inner}"
