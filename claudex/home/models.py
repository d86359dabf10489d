"""The models that the home knows of: the live catalog's cache, else the embedded catalog."""

from pathlib import Path

import msgspec

from .. import paths
from ..errors import ClaudexError
from ..wire.catalog import CatalogDocument, ModelInfo

EMBEDDED = Path(__file__).parent.parent / "codex" / "models.json"


def known_models(home: str) -> list[ModelInfo]:
    """Best first. A damaged or empty cache counts as none."""
    models = _read(Path(paths.models_cache(home))) or _read(EMBEDDED)
    if not models:
        raise ClaudexError(f"the model catalog {EMBEDDED} is missing or damaged.", hint="Install claudex again.")
    return sorted(models, key=lambda model: model.priority)


def _read(path: Path) -> list[ModelInfo]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=CatalogDocument).models
    except (OSError, msgspec.MsgspecError):
        return []
