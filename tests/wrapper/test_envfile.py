"""The env file means what sh says it means, or is refused with file and line."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claudex.errors import EnvFileError
from claudex.wrapper import envfile

PLACES = {"HOME": "/h", "B": "x  y", "EMPTY": "", "S": "q'\"\\*~", "PATH": "/usr/bin:/bin", "PWD": "/"}
SHELL_ADDS = {b"_", b"SHLVL", b"OLDPWD", b"PWD"}

names = st.sampled_from(["A", "B", "C_1", "lower", "HOME", "EMPTY", "X9", "S", "export", "unset"])
letters = st.sampled_from(
    [*"ab9_./:@%+,-=#~ \t\n\\'\"$`{}()[]*?;&|<>!^", "é", "\udc81", "\udcff", "\\\n", '\\"', "\\}"]
)
expansions = st.sampled_from(["$A", "${B}", "$S", "${EMPTY}", "${X9:-", "${A:-", "${EMPTY:-", "}", '"${A:-', '}"', "$"])
raw = st.lists(letters | expansions, max_size=6).map("".join)
plain = st.text(st.characters(blacklist_characters="'\0", blacklist_categories=("Cs",)), max_size=6)
pieces = st.one_of(
    raw,
    raw.map(lambda text: f'"{text}"'),
    plain.map(lambda text: f"'{text}'"),
    st.tuples(names, raw).map(lambda pair: f'"${{{pair[0]}:-{pair[1]}}}"'),
    st.tuples(names, raw).map(lambda pair: f"${{{pair[0]}:-{pair[1]}}}"),
    names.map(lambda name: f"${{{name}}}"),
    names.map(lambda name: f"/{name}"),
)
values = st.lists(pieces, max_size=3).map("".join)
statements = st.one_of(
    st.tuples(st.sampled_from(["", "export ", "  export\t"]), names, values).map(lambda s: f"{s[0]}{s[1]}={s[2]}"),
    st.lists(names, min_size=1, max_size=3).map(lambda many: "unset " + " ".join(many)),
    raw.map(lambda text: "# " + text.replace("\n", "")),
    st.just(""),
)
documents = st.lists(statements, min_size=1, max_size=4).map("\n".join)


def by_shell(text: str, folder: Path) -> dict[bytes, bytes]:
    path = folder / "file.env"
    path.write_bytes(os.fsencode(text))
    done = subprocess.run(["sh", "-c", '. "$0"; env -0', path], env=PLACES, cwd="/", capture_output=True, check=True)
    assert done.stderr == b""
    return without_shell(dict(pair.split(b"=", 1) for pair in done.stdout.split(b"\0") if pair))


def without_shell(environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: value for name, value in environ.items() if name not in SHELL_ADDS}


def by_us(text: str) -> dict[bytes, bytes]:
    result = envfile.parse(text, PLACES, "file.env")
    return without_shell({os.fsencode(name): os.fsencode(value) for name, value in result.items()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("env")


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(document=documents)
@example(document='export A="${A:-gpt-6.1-sol(xhigh)}"')
@example(document="A=1\nexport B=$A\nunset HOME\nHOME=gone\nexport HOME=$HOME/x")
def test_what_is_accepted_is_what_sh_makes_of_it(document: str, folder: Path) -> None:
    try:
        ours = by_us(document)
    except EnvFileError:
        return
    assert ours == by_shell(document, folder)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("export A=bare", "bare"),
        ("export A=", ""),
        ("export A", None),
        ("  export   A='single $B \\'", "single $B \\"),
        ('export A="$B"', "x  y"),
        ("export A=$B", "x  y"),
        ("export A=a'b'\"c\"$HOME/d", "abc/h/d"),
        ("export A=a#b # comment", "a#b"),
        ("export A= # comment", ""),
        ("export A=one\\\ntwo", "onetwo"),
        ('export A="one\\\ntwo\nthree"', "onetwo\nthree"),
        ("export A=\\ \\$\\'", " $'"),
        ('export A="\\$B \\x \\\\ \\" \\`"', '$B \\x \\ " `'),
        ('export A="${NOPE:-model(high)}"', "model(high)"),
        ("export A=${NOPE:-model(high)}", "model(high)"),
        ('export A="${EMPTY:-used}"', "used"),
        ('export A="${B:-unused}"', "x  y"),
        ('export A="${NOPE:-${ALSO:-$HOME}}"', "/h"),
        ('export A="${NOPE:-"in  quotes"}"', "in  quotes"),
        ("export A=\"${NOPE:-'kept'}\"", "'kept'"),
        ("export A=${NOPE:-'a}b'}", "a}b"),
        ('export A="${NOPE:-a\\}b}"', "a}b"),
        ('export A="100$ $/"', "100$ $/"),
        ("export A=\udcff\udc81é", "\udcff\udc81é"),
        ("export=1\nexport A=$export", "1"),
    ],
)
def test_each_form(text: str, value: str | None, folder: Path) -> None:
    if value is None:
        with pytest.raises(EnvFileError):
            by_us(text)
        return
    assert envfile.parse(text, PLACES, "f")["A"] == value
    assert by_us(text) == by_shell(text, folder)


def test_a_plain_assignment_reaches_the_environment_only_where_the_name_was_exported() -> None:
    result = envfile.parse("PRIVATE=1\nHOME=/new\nexport SEEN=$PRIVATE", PLACES, "f")
    assert "PRIVATE" not in result
    assert (result["HOME"], result["SEEN"]) == ("/new", "1")


def test_unset_also_takes_the_export_away() -> None:
    assert "HOME" not in envfile.parse("unset HOME B\nHOME=/again", PLACES, "f")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("export A=$(id)", 1),
        ("\n\nexport A=`id`", 3),
        ('# fine\nexport A="`id`"', 2),
        ("export A=1; id", 1),
        ("export A=1 && id", 1),
        ("export A=1 B=2", 1),
        ("A=1 id", 1),
        ("id", 1),
        ("export", 1),
        ("unset", 1),
        ("unset -f A", 1),
        ("export A =1", 1),
        ("export 1A=1", 1),
        ("A=*", 1),
        ("A=~/x", 1),
        ("A=x:~", 1),
        ("A={a,b}", 1),
        ("A=model(high)", 1),
        ("A=<(id)", 1),
        ("A=${B:-<(id)}", 1),
        ("A=$((1+1))", 1),
        ("A=$1", 1),
        ("A=$?", 1),
        ("A=${B:=x}", 1),
        ("A=${B-x}", 1),
        ("A=${#B}", 1),
        ("A=${B", 1),
        ("A='open\nB=2", 1),
        ('B=2\nA="open', 2),
        ("A=$'x'", 1),
        ("A=1\nB=2\r\n", 2),
        ("A=1\0", 1),
        ("\ufeffA=1", 1),
        ("A=x\\", 1),
        ("IFS=,", 1),
        ("A=$PPID", 1),
        ("if true", 1),
        (". other", 1),
        ('A="1"\n\nB="2" C', 3),
    ],
)
def test_everything_else_is_refused_with_file_and_line(text: str, line: int) -> None:
    with pytest.raises(EnvFileError) as caught:
        envfile.parse(text, PLACES, "/some/file.env")
    assert str(caught.value).startswith(f"/some/file.env:{line}: ")
    assert "\n" not in str(caught.value)


def test_nothing_is_executed(tmp_path: Path) -> None:
    with pytest.raises(EnvFileError):
        envfile.parse(f'export A="$(touch {tmp_path}/made)"', PLACES, "f")
    assert not (tmp_path / "made").exists()


def test_load_keeps_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "e.env"
    path.write_bytes(b"export A='\xff\xfe'\n")
    assert os.fsencode(envfile.load(str(path), {})["A"]) == b"\xff\xfe"


def test_assignments_name_line_and_export() -> None:
    steps = envfile.assignments("# c\nexport A=1\nB=2\nunset A\n", {}, "f")
    assert [(s.line, s.name, s.value, s.exported) for s in steps] == [
        (2, "A", "1", True),
        (3, "B", "2", False),
        (4, "A", None, False),
    ]
