"""The model catalog: live, else the last good one, else the one in the package.

`GET {upstream}/codex/models?client_version=X`; the backend leaves out what that version may not use. Every response
to a model call names the current catalog's tag (`x-models-etag`); a tag not seen before is a reason to fetch again.
"""

import time
import typing
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

import msgspec

from .. import errors, files, paths
from ..settings import Settings
from ..wire.catalog import ModelInfo
from . import identity
from .http import Transport
from .login import Login

Source = Literal["live", "cache", "embedded"]
Models = dict[str, ModelInfo]


class _Cached(msgspec.Struct):
    models: list[object]
    etag: str = ""
    fetched_at: float | None = None
    client_version: str = ""
    account: str = ""


class Catalog:
    """One object for the life of the process: `refresh` changes it in place. `models` is in order of priority."""

    def __init__(self, models: Models, source: Source, home: str | Path = "") -> None:
        self.models = models
        self.source: Source = source
        self.etag = ""
        self.fetched_at: float | None = None
        self.account = ""
        self._home = home
        self._hints: set[str] = set()

    @classmethod
    def embedded(cls, home: str | Path = "") -> "Catalog":
        document = msgspec.json.decode(resources.files(__package__).joinpath("models.json").read_bytes())
        return cls(parse(document["models"]), "embedded", home)

    @classmethod
    def load(cls, home: str | Path) -> "Catalog":
        """What is known without the network. A damaged cache counts as none."""
        try:
            cached = msgspec.json.decode(Path(paths.models_cache(str(home))).read_bytes(), type=_Cached)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return cls.embedded(home)
        models = parse(cached.models)
        if not models:
            return cls.embedded(home)
        catalog = cls(models, "cache", home)
        catalog.etag, catalog.fetched_at, catalog.account = cached.etag, cached.fetched_at, cached.account
        return catalog

    async def refresh(self, http: Transport, login: Login, settings: Settings, codex_home: str | Path) -> bool:
        """Fetch, keep and store. True when the models changed. Raises UpstreamError and leaves everything as it was."""
        version = identity.client_version(settings, codex_home)
        url = f"{settings.upstream.url}/codex/models?{urlencode({'client_version': version})}"
        document, headers = await http.get_json(url, identity.headers(login, settings, codex_home), account=login.tag)
        listed = document.get("models") if isinstance(document, dict) else None
        models = parse(listed) if isinstance(listed, list) else {}
        if not models:
            raise errors.UpstreamFailed("ChatGPT sent a model catalog without a usable model.", url=url)
        changed = models != self.models
        self.models, self.source, self.account = models, "live", login.tag
        self.etag, self.fetched_at = _tag(headers.get("etag", "")), time.time()
        self._store(version)
        return changed

    def outdated_by(self, hint: str) -> bool:
        """Whether this `x-models-etag` asks for a refetch; each value asks once, so a foreign format cannot loop."""
        tag = _tag(hint)
        if not tag or tag == self.etag or tag in self._hints:
            return False
        if len(self._hints) >= 64:
            self._hints.clear()
        self._hints.add(tag)
        return True

    def _store(self, version: str) -> None:
        if not self._home:
            return
        models: list[object] = [*self.models.values()]
        cached = _Cached(models, self.etag, self.fetched_at, version, self.account)
        try:
            files.write_private(paths.models_cache(str(self._home)), msgspec.json.encode(cached))
        except OSError:
            return  # the catalog in memory is good; the next start falls back to an older one


def parse(entries: Iterable[object]) -> Models:
    """Usable entries by slug, best first. An unknown field is ignored, a field of the wrong type takes its default."""
    found = [model for entry in entries if (model := _model(entry))]
    return {model.slug: model for model in sorted(found, key=lambda model: model.priority)}


def _model(entry: object) -> ModelInfo | None:
    if not isinstance(entry, Mapping):
        return None
    fields: dict[str, object] = {}
    for name, kind in _FIELD_TYPES.items():
        if entry.get(name) is None:
            continue
        try:
            fields[name] = msgspec.convert(entry[name], kind)
        except msgspec.ValidationError:
            continue
    slug = fields.get("slug")
    return ModelInfo(**fields) if isinstance(slug, str) and slug else None  # type: ignore[arg-type]


_FIELD_TYPES = typing.get_type_hints(ModelInfo)


def _tag(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')
