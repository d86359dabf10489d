"""`self env`, `self models set` and the editing of the env file in place."""

from pathlib import Path

import pytest

from claudex.errors import ClaudexError
from claudex.home.edit import set_values

from .conftest import Claudex

TOKEN = "ANTHROPIC_AUTH_TOKEN"
OPUS = "ANTHROPIC_DEFAULT_OPUS_MODEL"
WINDOW = "CLAUDE_CODE_MAX_CONTEXT_TOKENS"


def variables(claudex: Claudex, *options: str) -> dict[str, dict[str, object]]:
    return {item["name"]: item for item in claudex("self", "env", "--json", *options).document["variables"]}


@pytest.fixture
def env_file(claudex: Claudex, place: Path) -> Path:
    """A home as it is after the first run."""
    from claudex import home

    home.prepare(str(place), {}, 8327)
    return place / "claude-code.env"


def test_each_value_says_where_it_comes_from(env_file: Path, claudex: Claudex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPUS, "gpt-6-astra(max)")
    found = variables(claudex)
    assert (found[OPUS]["value"], found[OPUS]["source"]) == ("gpt-6-astra(max)", "shell")
    assert found["ANTHROPIC_MODEL"]["source"] == "default"
    assert found[TOKEN]["source"] == "file"
    assert (found["ANTHROPIC_API_KEY"]["value"], found["ANTHROPIC_API_KEY"]["source"]) == (None, "unset")
    line = env_file.read_text().splitlines()[int(str(found[TOKEN]["line"])) - 1]
    assert line.startswith(f"export {TOKEN}=")


def test_secrets_are_masked_unless_asked_for(env_file: Path, claudex: Claudex) -> None:
    token = (env_file.parent / "auth" / "proxy-token").read_text().strip()
    assert token not in claudex("self", "env").out
    assert token not in claudex("self", "env", "--json").out
    assert variables(claudex, "--reveal")[TOKEN]["value"] == token
    assert variables(claudex)[WINDOW]["value"] == "272000"


def test_a_damaged_env_file_names_file_and_line(env_file: Path, claudex: Claudex) -> None:
    env_file.write_text("export A=1\nrm -rf $(pwd)\n")
    result = claudex("self", "env")
    assert result.code == 1
    assert f"{env_file}:2" in result.err


def test_no_env_file_says_what_makes_one(claudex: Claudex) -> None:
    result = claudex("self", "env")
    assert result.code == 1
    assert "claudex start" in result.err


def test_fix_lets_the_file_name_this_home(env_file: Path, claudex: Claudex, port: int) -> None:
    env_file.write_text(
        "# mine\nexport ANTHROPIC_BASE_URL=http://127.0.0.1:1\nexport ANTHROPIC_AUTH_TOKEN='old'\nexport A=1\n"
    )
    assert len(claudex("self", "env", "--json").document["problems"]) == 2
    result = claudex("self", "env", "--fix", "--json").document
    assert result["problems"] == []
    assert result["fixed"] == ["ANTHROPIC_BASE_URL", TOKEN]
    lines = env_file.read_text().splitlines()
    assert lines[0] == "# mine"
    assert lines[1] == f"export ANTHROPIC_BASE_URL=http://127.0.0.1:{port}"
    assert lines[3] == "export A=1"


def test_fix_follows_a_port_set_in_config_toml(
    env_file: Path, claudex: Claudex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLAUDEX_PORT")
    (env_file.parent / "config.toml").write_text("[proxy]\nport = 9123\n")
    assert claudex("self", "env", "--fix", "--json").document["fixed"] == ["ANTHROPIC_BASE_URL"]
    assert 'ANTHROPIC_BASE_URL="http://127.0.0.1:${CLAUDEX_PORT:-9123}"' in env_file.read_text()


def test_fix_changes_nothing_that_is_right(env_file: Path, claudex: Claudex) -> None:
    before = env_file.read_bytes()
    assert claudex("self", "env", "--fix", "--json").document["fixed"] == []
    assert env_file.read_bytes() == before


def test_models_lists_the_catalog(env_file: Path, claudex: Claudex) -> None:
    document = claudex("self", "models", "--json").document
    sol = next(model for model in document["models"] if model["slug"] == "gpt-6.1-sol")
    assert document["source"] == "embedded"
    assert sol["window"] == 272_000
    assert sol["efforts"] == ["low", "medium", "high", "xhigh", "max"]
    assert sol["lane"] == "lite"
    assert sol["slots"] == ["opus", "sonnet"]
    assert "gpt-6.1-sol" in claudex("self", "models").out


def test_models_set_edits_one_line_and_keeps_the_rest(env_file: Path, claudex: Claudex) -> None:
    before = env_file.read_text().splitlines()
    assert claudex("self", "models", "set", "opus", "gpt-6-astra", "max").code == 0
    after = env_file.read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [
        (f'export {OPUS}="${{{OPUS}:-gpt-6.1-sol(xhigh)}}"', f'export {OPUS}="${{{OPUS}:-gpt-6-astra(max)}}"')
    ]
    assert env_file.stat().st_mode & 0o777 == 0o600


def test_models_set_adapts_the_window_to_the_smallest(env_file: Path, claudex: Claudex) -> None:
    for slot in ("opus", "sonnet", "haiku"):
        assert claudex("self", "models", "set", slot, "gpt-6.1-terra").code == 0
    found = variables(claudex)
    assert found[OPUS]["value"] == "gpt-6.1-terra"
    assert found[WINDOW]["value"] == found["CLAUDE_CODE_AUTO_COMPACT_WINDOW"]["value"] == "500000"
    assert claudex("self", "models", "set", "haiku", "gpt-6-luna(low)", "--json").document["window"] == 272_000


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("fable", "gpt-6-astra"), "opus, sonnet or haiku"),
        (("opus", "gpt-7"), "gpt-6.1-sol"),
        (("opus", "gpt-6-astra", "ultra"), "xhigh or max"),
        (("opus", "gpt-6-astra(brisk)"), "xhigh or max"),
    ],
)
def test_models_set_refuses_what_does_not_exist(
    env_file: Path, claudex: Claudex, words: tuple[str, ...], reason: str
) -> None:
    before = env_file.read_bytes()
    result = claudex("self", "models", "set", *words)
    assert result.code == 2
    assert reason in result.err
    assert env_file.read_bytes() == before


def test_models_set_says_when_the_shell_still_wins(
    env_file: Path, claudex: Claudex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPUS, "gpt-5.5")
    assert claudex("self", "models", "set", "opus", "gpt-6-astra", "--json").document["shadowed"] == [OPUS]


@pytest.mark.parametrize(
    ("line", "edited"),
    [
        ("export M=old", 'export M="new(low)"'),
        ("export M='old'   # why", 'export M="new(low)"   # why'),
        ('  export M="old" # "quoted"', '  export M="new(low)" # "quoted"'),
        ('export M="${M:-old}"', 'export M="${M:-new(low)}"'),
        ("export M=${M:-old}", 'export M="${M:-new(low)}"'),
        ("export M=", 'export M="new(low)"'),
    ],
)
def test_a_value_is_replaced_in_the_form_it_had(line: str, edited: str) -> None:
    assert set_values(f"# head\n{line}\nexport Z=1\n", {"M": "new(low)"}, "f") == f"# head\n{edited}\nexport Z=1\n"


def test_the_last_assignment_is_the_one_that_counts() -> None:
    assert set_values("export M=a\nexport M=b\n", {"M": "c"}, "f") == "export M=a\nexport M=c\n"


def test_a_name_without_a_line_gets_one_at_the_end() -> None:
    assert set_values("export A=1", {"M": "x"}, "f") == 'export A=1\nexport M="${M:-x}"\n'


@pytest.mark.parametrize("text", ["export M=old\nunset M\n", "M=old\n"])
def test_a_form_that_cannot_be_edited_is_left_alone(text: str) -> None:
    with pytest.raises(ClaudexError, match="f:1"):
        set_values(text, {"M": "new"}, "f")
