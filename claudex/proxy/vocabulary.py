"""The real vocabulary of the tokenizer, when the user has installed tiktoken and it has been downloaded before."""

import hashlib
import os
import tempfile
import threading
from collections.abc import Mapping
from importlib.util import find_spec

from ..translate.tokens import Exact

# Where tiktoken 0.9 keeps a vocabulary that it has downloaded: a file named by the SHA-1 of its address.
ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

_exact: Exact | None = None


def exact() -> Exact | None:
    """Counts the tokens of a text, once the vocabulary is loaded; None without one."""
    return _exact


def use(count: Exact | None) -> None:
    global _exact
    _exact = count


def load() -> None:
    """Begins loading in a thread of its own, if there is anything to load. Never downloads."""
    if find_spec("tiktoken") is not None:
        threading.Thread(target=_load, name="vocabulary", daemon=True).start()


def _load() -> None:
    if not is_cached():
        return
    import tiktoken  # type: ignore[import-not-found,unused-ignore]

    encoding = tiktoken.get_encoding("o200k_base")
    use(lambda text: len(encoding.encode_ordinary(text)))


def is_cached(environ: Mapping[str, str] = os.environ) -> bool:
    """A damaged file counts as none: tiktoken would fetch a new one."""
    folder = environ.get("TIKTOKEN_CACHE_DIR") or environ.get("DATA_GYM_CACHE_DIR")
    folder = folder or os.path.join(tempfile.gettempdir(), "data-gym-cache")
    name = hashlib.sha1(ADDRESS.encode(), usedforsecurity=False).hexdigest()
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest() == SHA256
    except OSError:
        return False
