"""Writing files so that a reader, or a crash, never sees half of one."""

import os
import tempfile
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700


def private_dir(path: str | Path) -> Path:
    """Make `path` and its parents; the last one belongs to the user alone."""
    directory = Path(path)
    directory.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
    if directory.stat().st_mode & 0o077:
        directory.chmod(PRIVATE_DIR)
    return directory


def write_private(path: str | Path, data: str | bytes) -> None:
    """Replace `path` atomically with a file of mode 0600; a symlink is followed to its target."""
    target = Path(os.path.realpath(path))
    content = data.encode() if isinstance(data, str) else data
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), PRIVATE_FILE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk does not say whose write failed
            error.filename = str(target)
        raise
