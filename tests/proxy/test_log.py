import json
import os
import stat
from pathlib import Path

from claudex.proxy.log import Log, redact
from claudex.settings import LogSettings

JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyIn0.c2ln"
SECRETS = (JWT, "rt-abcdefghijklmnop", "sk-proj-abcdefghijklmnop", "gAAAAABmSecretReasoningSecret", "plain-proxy-token")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_one_json_object_without_empty_facts(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "proxy.log"), LogSettings())
    log.write("request", id="req_1", nothing=None, empty={}, text="a\nb")
    (line,) = lines(tmp_path / "proxy.log")
    assert line["event"] == "request"
    assert line["text"] == "a\nb"
    assert str(line["time"]).endswith("Z")
    assert not {"nothing", "empty"} & line.keys()


def test_planted_secrets_never_reach_the_file(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "proxy.log"), LogSettings())
    log.known = ("plain-proxy-token",)
    for secret in SECRETS:
        log.write("request", message=f"refused {secret} by", nested={"deep": [secret]}, header=f"Bearer {secret}")
    log.write("request", authorization="whatever it is", token="x")
    text = (tmp_path / "proxy.log").read_text()
    assert not [secret for secret in (*SECRETS, "whatever it is") if secret in text]
    assert "refused [redacted] by" in text


def test_paths_and_ids_survive_redaction() -> None:
    text = "/home/me/.codex/auth.json req_0123456789abcdef01234567 gpt-6.1-sol 3d3c9d2e-1111-2222-3333-444455556666"
    assert redact(text) == text


def test_the_file_is_private(tmp_path: Path) -> None:
    Log(str(tmp_path / "proxy.log"), LogSettings()).write("start")
    assert stat.S_IMODE((tmp_path / "proxy.log").stat().st_mode) == 0o600


def test_below_the_level_nothing_is_written(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "proxy.log"), LogSettings(level="warning"))
    log.write("request")
    assert not (tmp_path / "proxy.log").exists()


def test_rotation_keeps_the_newest_files(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "proxy.log"), LogSettings(max_mb=1, keep=2))
    for number in range(40):
        log.write("request", number=number, filler="x" * 100_000)
    assert sorted(os.listdir(tmp_path)) == ["proxy.log", "proxy.log.1", "proxy.log.2"]
    assert lines(tmp_path / "proxy.log")[-1]["number"] == 39
    assert all((tmp_path / name).stat().st_size <= 1_000_000 for name in os.listdir(tmp_path))


def test_a_disk_that_refuses_does_not_raise(tmp_path: Path) -> None:
    Log(str(tmp_path / "no" / "such" / "folder"), LogSettings()).write("request")
