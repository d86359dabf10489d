"""The home: made once, the same for every process that makes it, and never overwritten."""

import multiprocessing
import os
import re
import stat
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest

from claudex import home, paths, settings
from claudex.errors import ClaudexError
from claudex.home.models import known_models
from claudex.home.prepare import create_private, read_token
from claudex.wire.catalog import ModelInfo
from claudex.wrapper import envfile

PORT = 8400


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "gateway")


def mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def injected(place: str, **environ: str) -> dict[str, str]:
    return envfile.load(paths.env_file(place), environ)


def test_everything_is_made_private(place: str) -> None:
    prepared = home.prepare(place, {}, PORT)
    assert [mode(os.path.join(place, name)) for name in ("", "auth", "run", "logs")] == [0o700] * 4
    assert [mode(path) for path in (prepared.token_file, prepared.env_file, paths.config(place))] == [0o600] * 3
    assert prepared.env_file in prepared.created


def test_the_token_has_256_bits_and_is_safe_in_a_url(place: str) -> None:
    home.prepare(place, {}, PORT)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", read_token(place))


def test_a_second_run_changes_nothing(place: str) -> None:
    home.prepare(place, {}, PORT)
    before = {path: path.read_bytes() for path in Path(place).rglob("*") if path.is_file()}
    assert home.prepare(place, {}, PORT + 1).created == ()
    assert {path: path.read_bytes() for path in Path(place).rglob("*") if path.is_file()} == before


def test_files_of_the_user_are_left_alone(place: str) -> None:
    Path(place).mkdir()
    Path(paths.config(place)).write_text("[proxy]\nport = 9000\n")
    Path(place, paths.ENV_FILE_NAME).write_text("export A=1\n")
    home.prepare(place, {}, PORT)
    assert settings.load(place, {}).proxy.port == 9000
    assert injected(place) == {"A": "1"}


def test_an_older_stacks_env_file_is_used_and_its_strong_token_kept(place: str) -> None:
    Path(place).mkdir()
    token = "t" * 43
    Path(place, paths.LEGACY_ENV_FILE_NAME).write_text(f'export ANTHROPIC_AUTH_TOKEN="{token}"\n')
    prepared = home.prepare(place, {}, PORT)
    assert prepared.env_file.endswith(paths.LEGACY_ENV_FILE_NAME)
    assert not Path(place, paths.ENV_FILE_NAME).exists()
    assert read_token(place) == token


def test_a_token_that_could_be_guessed_is_not_kept(place: str) -> None:
    Path(place).mkdir()
    Path(place, paths.LEGACY_ENV_FILE_NAME).write_text("export ANTHROPIC_AUTH_TOKEN=sk-dummy\n")
    home.prepare(place, {}, PORT)
    assert len(read_token(place)) == 43


def _prepared_token(place: str) -> tuple[str, str]:
    home.prepare(place, {}, PORT)
    return read_token(place), envfile.load(paths.env_file(place), {})["ANTHROPIC_AUTH_TOKEN"]


def test_twenty_processes_end_with_one_token(place: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        tokens = pool.map(_prepared_token, [place] * 20, chunksize=1)
    assert len({token for pair in tokens for token in pair}) == 1
    assert not list(Path(place).rglob(".new-*"))


def test_without_hard_links_the_first_still_wins(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no hard links here")

    Path(place).mkdir()
    monkeypatch.setattr(os, "link", refuse)
    target = os.path.join(place, "file")
    assert create_private(target, "first")
    assert not create_private(target, "second")
    assert Path(target).read_text() == "first"
    assert mode(target) == 0o600


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ClaudexError, match="cannot prepare"):
        home.prepare(str(blocked / "gateway"), {}, PORT)


def test_an_empty_token_file_says_what_to_do(place: str) -> None:
    home.prepare(place, {}, PORT)
    Path(paths.proxy_token(place)).write_text("")
    with pytest.raises(ClaudexError, match="is empty"):
        home.prepare(place, {}, PORT)


def test_a_token_file_that_others_may_read_is_closed(place: str) -> None:
    home.prepare(place, {}, PORT)
    os.chmod(paths.proxy_token(place), 0o644)
    home.prepare(place, {}, PORT)
    assert mode(paths.proxy_token(place)) == 0o600


# ---- the env file


def test_sh_reads_the_env_file_as_we_do(place: str) -> None:
    home.prepare(place, {}, PORT)
    environ = {"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": "k", "NO_PROXY": "corp.example", "CLAUDEX_PORT": "9001"}
    command = ["sh", "-c", '. "$0"; env -0', paths.env_file(place)]
    output = subprocess.run(command, env=environ, capture_output=True, check=True).stdout.decode()
    theirs = dict(line.split("=", 1) for line in output.split("\0") if line)
    ours = injected(place, **environ)
    assert {name: theirs.get(name) for name in ours} == ours
    assert "ANTHROPIC_API_KEY" not in theirs
    assert ours["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9001"
    assert ours["NO_PROXY"] == "127.0.0.1,localhost,corp.example"


def test_the_map_comes_from_the_embedded_catalog(place: str) -> None:
    home.prepare(place, {}, PORT)
    values = injected(place)
    assert values["ANTHROPIC_BASE_URL"] == f"http://127.0.0.1:{PORT}"
    assert values["ANTHROPIC_MODEL"] == "opus"
    assert values["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "gpt-6.1-sol(xhigh)"
    assert values["ANTHROPIC_DEFAULT_SONNET_MODEL"] == "gpt-6.1-sol(medium)"
    assert values["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "gpt-6-luna(low)"
    assert values["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == values["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == "272000"
    assert "CLAUDE_CODE_DISABLE_1M_CONTEXT" not in values


def test_the_live_catalog_goes_before_the_embedded_one(place: str) -> None:
    models = [
        ModelInfo(slug="new-big", priority=1, context_window=500_000, supported_reasoning_levels=["low", "high"]),
        ModelInfo(slug="new-mini", priority=2, context_window=100_000),
        ModelInfo(slug="hidden", priority=0, visibility="hide"),
    ]
    Path(place).mkdir()
    Path(paths.models_cache(place)).write_bytes(msgspec.json.encode({"models": models}))
    home.prepare(place, {}, PORT)
    values = injected(place)
    assert values["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "new-big(high)"
    assert values["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "new-mini"
    assert values["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "100000"


@pytest.mark.parametrize("damaged", [b"", b"{", b'{"models": []}', b'{"models": 3}'])
def test_a_damaged_cache_counts_as_none(place: str, damaged: bytes) -> None:
    Path(place).mkdir()
    Path(paths.models_cache(place)).write_bytes(damaged)
    assert known_models(place)[0].slug == "gpt-6.1-sol"


def test_each_variable_says_why(place: str) -> None:
    home.prepare(place, {}, PORT)
    lines = Path(paths.env_file(place)).read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("export", "unset")):
            assert lines[number - 1].startswith(("#", "export")), line


# ---- config.toml


def test_config_toml_names_every_setting() -> None:
    text = home.config_text()
    for section, values in msgspec.to_builtins(settings.Settings()).items():
        body = text.split(f"[{section}]\n")[1].split("\n[")[0]
        for name in values:
            assert re.search(rf"^# {name} = ", body, re.M), f"{section}.{name}"


def test_config_toml_as_written_and_uncommented_means_the_defaults() -> None:
    text = home.config_text()
    uncommented = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.M)
    for version in (text, uncommented):
        assert msgspec.convert(tomllib.loads(version), settings.Settings) == settings.Settings()
