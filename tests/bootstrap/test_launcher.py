"""The command at CLAUDEX_WRAPPER: put there, kept, and what stood there before kept too."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.steps import launcher
from bootstrap.steps.console import Console, Outcome, StepFailed
from bootstrap.steps.places import Manifest


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment whose claudex says with what it was started."""
    path = tmp_path / "venv"
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(sys.executable)
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    package = tmp_path / "site" / "claudex" / "wrapper"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "launch.py").write_text(
        "import sys\ndef main():\n    print(sys.argv[1:], sys.flags.no_site)\n    return 7\n"
    )
    return tmp_path / "site"


def put(wrapper: Path, venv: Path, *, yes: bool = True, dry_run: bool = False) -> tuple[Outcome, Manifest]:
    manifest = Manifest()
    console = Console(yes=yes, out=io.StringIO())
    return launcher.ensure(console, wrapper, venv, manifest, dry_run=dry_run, environ={"PATH": ""}), manifest


def test_it_passes_arguments_and_exit_code_without_site(tmp_path: Path, venv: Path, site: Path) -> None:
    command = tmp_path / "claudex"
    command.write_text(launcher.text(venv, str(site)))
    command.chmod(0o755)
    ran = subprocess.run([command, "-p", "", "--resume"], capture_output=True, text=True)
    assert (ran.stdout, ran.returncode) == ("['-p', '', '--resume'] 1\n", 7)


def test_a_path_with_blanks_works_too(tmp_path: Path, venv: Path, site: Path) -> None:
    spaced = tmp_path / "a $HOME \"folder'"
    os.rename(venv, spaced)
    command = tmp_path / "claudex"
    command.write_text(launcher.text(spaced, str(site)))
    command.chmod(0o755)
    ran = subprocess.run([command, "two words"], capture_output=True, text=True)
    assert (ran.stdout, ran.returncode) == ("['two words'] 1\n", 7), ran.stderr


def test_the_command_is_put_in_place_once(tmp_path: Path, venv: Path) -> None:
    wrapper = tmp_path / "bin" / "claudex"
    outcome, manifest = put(wrapper, venv)
    assert outcome.word == "done"
    assert manifest.files == [str(wrapper)]
    assert os.access(wrapper, os.X_OK)
    assert put(wrapper, venv)[0].word == "already"


def test_another_program_of_the_name_is_kept(tmp_path: Path, venv: Path) -> None:
    wrapper = tmp_path / "claudex"
    wrapper.write_text("#!/bin/sh\necho an older stack\n")
    outcome, manifest = put(wrapper, venv)
    backup = tmp_path / "claudex.before-claudex"
    assert backup.read_text() == "#!/bin/sh\necho an older stack\n"
    assert manifest.backups == {str(wrapper): str(backup)}
    assert str(backup) in outcome.detail


def test_another_program_is_not_moved_unasked(tmp_path: Path, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    wrapper = tmp_path / "claudex"
    wrapper.write_text("theirs")
    with pytest.raises(StepFailed, match="another program called claudex"):
        put(wrapper, venv, yes=False)
    assert wrapper.read_text() == "theirs"


def test_a_second_backup_gets_another_name(tmp_path: Path, venv: Path) -> None:
    (tmp_path / "claudex.before-claudex").touch()
    assert launcher.backup_name(tmp_path / "claudex") == tmp_path / "claudex.before-claudex-2"


def test_a_dry_run_touches_nothing(tmp_path: Path, venv: Path) -> None:
    wrapper = tmp_path / "bin" / "claudex"
    outcome, _ = put(wrapper, venv, dry_run=True)
    assert outcome.word == "would"
    assert not wrapper.parent.exists()


@pytest.mark.parametrize(
    ("shell", "says"), [("/bin/zsh", "~/.zshrc"), ("/bin/bash", "~/.profile"), ("/usr/bin/fish", "fish_add_path")]
)
def test_the_hint_for_path_is_in_the_users_shell(shell: str, says: str) -> None:
    hint = launcher.path_hint(Path("/home/u/.local/bin/claudex"), {"PATH": "/usr/bin", "SHELL": shell})
    assert says in hint
    assert "/home/u/.local/bin" in hint


def test_no_hint_when_it_is_on_path() -> None:
    assert launcher.path_hint(Path("/opt/x/claudex"), {"PATH": "/usr/bin:/opt/x"}) == ""
