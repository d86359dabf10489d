"""The two commands as they are typed, and that every place names the same ones."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bootstrap.steps import environment
from bootstrap.steps.pins import INSTALLED, TESTED
from bootstrap.steps.places import Manifest, locate

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "bootstrap" / "install.py"


def install(*words: str, home: Path) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(
        [sys.executable, str(INSTALL), *words], env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_a_dry_run_says_every_step_and_touches_nothing(tmp_path: Path) -> None:
    ran = install("--dry-run", "--no-clients", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    steps = re.findall(r"^  (\S[\w ]*?)  +(\w+): ", ran.stdout, re.M)
    assert [name for name, _ in steps] == ["environment", "command", "home", "older stacks", "login", "proxy", "probe"]
    assert {word for _, word in steps} <= {"would", "already"}
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_of_the_demonstration_touches_nothing_either(tmp_path: Path) -> None:
    ran = install("--dry-run", "--demo", "--no-clients", home=tmp_path)
    assert "SIMULATED" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_older_stack_is_found(tmp_path: Path) -> None:
    old = tmp_path / ".local" / "share" / "cliproxyapi-codex-test" / "claude-code-gpt54.env"
    old.parent.mkdir(parents=True)
    old.write_text("export ANTHROPIC_DEFAULT_OPUS_MODEL=gpt-6.1-sol\n")
    ran = install("--dry-run", "--no-clients", home=tmp_path)
    assert "take the model map of ~/.local/share/cliproxyapi-codex-test/claude-code-gpt54.env over" in ran.stdout


def test_an_old_python_is_told_what_to_do() -> None:
    source = INSTALL.read_text()
    guard = source[: source.index("import argparse")].replace("import sys\n", "", 1)
    asked = "import sys; sys.version_info = (3, 9, 2)\n" + guard
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert ran.returncode == 1
    assert "needs Python 3.11 or newer, and this is 3.9" in ran.stderr


def test_missing_ensurepip_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.Path, "exists", lambda self: True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt install python{version}-venv" in environment._ensurepip_hint()


def test_a_fresh_set_up_gets_its_own_home_beside_an_older_one(tmp_path: Path) -> None:
    (tmp_path / ".local" / "share" / "cliproxyapi-codex-test").mkdir(parents=True)
    assert locate({"HOME": str(tmp_path)}).home.name == "claudex-gateway"


def test_the_manifest_survives_a_round_trip_and_damage(tmp_path: Path) -> None:
    manifest = Manifest(files=["/a"], environment="/e", backups={"/a": "/b"})
    manifest.write(tmp_path / "home" / "install.json")
    assert Manifest.read(tmp_path / "home" / "install.json") == manifest
    (tmp_path / "home" / "install.json").write_text("{")
    assert Manifest.read(tmp_path / "home" / "install.json") == Manifest()


def test_ci_and_the_readme_run_the_same_command() -> None:
    commands = re.findall(r"^    (python3 bootstrap/\S+.*)$", (ROOT / "README.md").read_text(), re.M)
    assert len(commands) == 2
    assert commands[0].startswith("python3 bootstrap/install.py")
    assert commands[1] == "python3 bootstrap/test.py"
    assert f"exec {commands[1]}" in (ROOT / ".ci" / "run").read_text()
    assert "run: .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


def test_the_workflow_covers_the_pythons_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [line.rsplit(" ", 1)[1] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)]
    matrix = re.search(r"python: \[(.*)\]", (ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert matrix is not None
    assert re.findall(r"[\d.]+", matrix[1]) == named


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in environment.CONSTRAINTS.read_text().splitlines()
    }
    names = {re.split(r"[<>=;\[ ]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    assert names <= pinned


def test_pins_are_whole_versions() -> None:
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", pin.version) for pin in (*INSTALLED, *TESTED))
