"""What is handed out: a wheel with completions, references and the skill in it, and complete metadata."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import claudex

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(target.glob("claudex-*.whl")))


def test_it_holds_what_the_commands_read(wheel: zipfile.ZipFile) -> None:
    wanted = {
        "claudex/py.typed",
        "claudex/codex/models.json",
        "claudex/share/completions/claudex.bash",
        "claudex/share/completions/_claudex",
        "claudex/share/completions/claudex.fish",
        "claudex/share/completions/claudex.ps1",
        "claudex/share/references/current-stack.md",
        "claudex/share/references/skill/SKILL.md",
    }
    assert wanted <= set(wheel.namelist())


def test_it_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    info = f"claudex-{claudex.__version__}.dist-info/"
    assert [name for name in wheel.namelist() if not name.startswith(("claudex/", info))] == []
    assert not [name for name in wheel.namelist() if name.endswith("regenerate.py") or "__pycache__" in name]


def test_its_metadata_is_complete(wheel: zipfile.ZipFile) -> None:
    info = f"claudex-{claudex.__version__}.dist-info"
    metadata = wheel.read(f"{info}/METADATA").decode()
    for line in (
        "Name: claudex",
        "License-Expression: MIT",
        "Requires-Python: >=3.11",
        "Description-Content-Type: text/markdown",
    ):
        assert f"\n{line}\n" in metadata
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    assert "claudex = claudex.wrapper.launch:main" in wheel.read(f"{info}/entry_points.txt").decode()
