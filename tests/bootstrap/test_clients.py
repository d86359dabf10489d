"""`claude` and `codex`: found where they are, offered where they are not."""

import io
import shutil
from pathlib import Path

import pytest

from bootstrap.steps import clients, launcher
from bootstrap.steps.console import Console
from bootstrap.steps.places import Manifest, locate


def program(path: Path, text: str = "#!/bin/sh\necho 2.1.329\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_first_on_path_is_found(tmp_path: Path) -> None:
    first, second = program(tmp_path / "a" / "claude"), program(tmp_path / "b" / "claude")
    assert clients.find("claude", {"PATH": f"{first.parent}:{second.parent}"}) == str(first)


def test_our_own_command_under_the_name_of_claude_is_passed_over(tmp_path: Path) -> None:
    ours = program(tmp_path / "claudex", launcher.text(Path("/x"), "/y"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "claude").symlink_to(ours)
    real = program(tmp_path / "b" / "claude")
    assert clients.find("claude", {"PATH": f"{tmp_path}/a:{tmp_path}/b"}) == str(real)


def test_a_named_program_wins(tmp_path: Path) -> None:
    assert clients.find("codex", {"PATH": "", "CODEX_BIN": "/opt/codex"}) == "/opt/codex"


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An npm that installs a program which answers --version."""
    script = """#!/bin/sh
if [ "$1" = prefix ]; then echo "$FAKE_PREFIX"; exit 0; fi
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/bin"
for name in claude codex; do
  case "$*" in *$name*) printf '#!/bin/sh\\necho %s 1.0\\n' $name > "$2/bin/$name"; chmod +x "$2/bin/$name";; esac
done
"""
    program(tmp_path / "tools" / "npm", script)
    environ = {
        "HOME": str(tmp_path / "user"),
        "PATH": f"{tmp_path}/tools:/usr/bin:/bin",
        "FAKE_PREFIX": str(tmp_path / "global"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CLAUDEX_WRAPPER", raising=False)
    return environ


def ensure(environ: dict[str, str], *, yes: bool = True, dry_run: bool = False) -> tuple[list[str], Manifest]:
    places, manifest = locate(environ), Manifest()
    outcomes = clients.ensure(Console(yes=yes, out=io.StringIO()), places, manifest, environ, dry_run=dry_run)
    return [outcome.word for outcome in outcomes], manifest


def test_missing_programs_are_installed_where_npm_puts_them(npm: dict[str, str], tmp_path: Path) -> None:
    words, manifest = ensure(npm)
    assert words == ["done", "done"]
    assert (tmp_path / "global" / "bin" / "claude").exists()
    assert manifest.npm_prefix == ""


def test_what_npm_puts_off_the_path_is_linked_beside_the_command(npm: dict[str, str], tmp_path: Path) -> None:
    _, manifest = ensure(npm)
    link = tmp_path / "user" / ".local" / "bin" / "claude"
    assert link.resolve() == tmp_path / "global" / "bin" / "claude"
    assert str(link) in manifest.files


def test_what_npm_puts_on_the_path_is_not_linked(npm: dict[str, str], tmp_path: Path) -> None:
    npm["PATH"] += f":{tmp_path}/global/bin"
    assert ensure(npm)[1].files == []


def test_without_leave_to_write_there_they_get_a_prefix_of_their_own(
    npm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "global_prefix", lambda npm: None)
    words, manifest = ensure(npm)
    link = tmp_path / "user" / ".local" / "bin" / "claude"
    assert words == ["done", "done"]
    assert manifest.npm_prefix.endswith("/npm")
    assert link.resolve().is_relative_to(manifest.npm_prefix)
    assert str(link) in manifest.files


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_asking_npm_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    clients.global_prefix(str(shutil.which("npm")))
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_finds_them(npm: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "global_prefix", lambda npm: None)
    ensure(npm)
    assert ensure(npm)[0] == ["already", "already"]


def test_a_no_is_respected(npm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert ensure(npm, yes=False)[0] == ["skipped", "skipped"]
    assert not (tmp_path / "global").exists()


def test_a_dry_run_installs_nothing(npm: dict[str, str], tmp_path: Path) -> None:
    assert ensure(npm, dry_run=True)[0] == ["would", "would"]
    assert not (tmp_path / "global").exists()


def test_without_npm_it_is_said_what_to_install(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    out = io.StringIO()
    clients.ensure(Console(yes=True, out=out), locate(environ), Manifest(), environ, dry_run=False)
    assert "Install Node.js" in out.getvalue()
