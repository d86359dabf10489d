"""The completion files name exactly the words that the command line has."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

COMPLETIONS = Path(__file__).parents[2] / "completions"


@pytest.fixture(scope="module")
def regenerate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regenerate", COMPLETIONS / "regenerate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["claudex.bash", "_claudex", "claudex.fish", "claudex.ps1"])
def test_the_table_is_that_of_the_command_line(regenerate: ModuleType, name: str) -> None:
    """When this fails: `just completions`."""
    assert (COMPLETIONS / name).read_text("utf-8") == regenerate.written(name, regenerate.own_lines())


def test_every_file_is_rewritten(regenerate: ModuleType) -> None:
    files = {path.name for path in COMPLETIONS.iterdir() if path.suffix != ".py" and path.is_file()}
    assert files == set(regenerate.FILES)


def test_the_own_words_of_the_wrapper_are_offered(regenerate: ModuleType) -> None:
    from claudex.wrapper import OWN_WORDS

    offered = {line.split("|")[1] for line in regenerate.own_lines() if line.startswith("|")}
    assert offered == set(OWN_WORDS)
