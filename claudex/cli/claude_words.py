"""claude's own flags and subcommands for the shell completions, read from its help and cached.

The completions start `claudex self claude-words` in the background once per shell session, and only read the file.
Its lines are `scope|word|takes|help`, as in the completion files. The first line names the claude that they came from.
"""

import os
import re
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from .. import files
from ..wrapper import OWN_WORDS, claude

HELP_TIMEOUT_S = 15.0
QUIET = {"DISABLE_UPDATES": "1", "DISABLE_AUTOUPDATER": "1", "NO_COLOR": "1", "COLUMNS": "80"}
ENTRY = re.compile(r"^ {2}(?=\S)(?P<term>\S+(?: \S+)*)(?: {2,}(?P<text>.*))?$")
CHOICES = re.compile(r"\(choices: (?P<list>.*?)(?:, (?:default|preset):.*?)?\)")
LISTED = re.compile(r"\((?P<list>[a-z]+(?:, [a-z]+)+)\)")
SENTENCE_END = re.compile(r"(?<=[a-z)])(?<!e\.g)\. |\(choices:")
HELP_WIDTH = 100
MODELS = "opus,sonnet,haiku"


def cache_file(environ: Mapping[str, str] = os.environ) -> Path:
    base = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".cache")
    return Path(base) / "claudex" / "claude-words"


def refresh(environ: Mapping[str, str] = os.environ) -> bool:
    """Bring the cache up to date with the claude on PATH. Says whether anything had to be read."""
    program = claude.find(environ)
    target = cache_file(environ)
    head = f"#{_identity(program)}"
    if _first_line(target) == head:
        return False
    files.private_dir(target.parent)
    top = [line for line in parse(_help(program, environ)) if line.split("|")[1] not in OWN_WORDS]
    files.write_private(target, "\n".join(["#", *top, ""]))  # of use at once; complete, and named, below
    commands = [line.split("|")[1] for line in top if not line.startswith("|-")]
    nested = [line for command in commands for line in parse(_help(program, environ, command), command)]
    files.write_private(target, "\n".join([head, *top, *nested, ""]))
    return True


def _identity(program: str) -> str:
    real = os.path.realpath(program)
    facts = os.stat(real)
    return f"{real} {facts.st_mtime_ns} {facts.st_size}"


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return ""


def _help(program: str, environ: Mapping[str, str], *command: str) -> str:
    try:
        answer = subprocess.run(
            [program, *command, "--help"],
            env={**environ, **QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=HELP_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def parse(text: str, scope: str = "") -> list[str]:
    """Table lines of a help text as claude 2.1 prints it: sections, entries two spaces in, descriptions wrapped."""
    return [line for section, term, about in _entries(text) for line in _lines(scope, section, term, about)]


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    section, term, about = "", "", ""
    for line in text.splitlines():
        entry = ENTRY.match(line)
        if entry or (line and not line.startswith(" ")):
            if term:
                yield section, term, about
            term, about = (entry["term"], entry["text"] or "") if entry else ("", "")
            if not entry:
                section = line.rstrip(":")
        elif term:
            about = f"{about} {line.strip()}".strip()
    if term:
        yield section, term, about


def _lines(scope: str, section: str, term: str, about: str) -> Iterator[str]:
    short = textwrap.shorten(SENTENCE_END.split(about)[0].rstrip("."), HELP_WIDTH, placeholder=" …")
    if section == "Options":
        names = [name for name in re.split(r"[ ,]+", term) if name.startswith("-")]
        takes = _takes(names, about) if re.search(r"[<\[]", term) else ""
        yield from (f"{scope}|{name}|{takes}|{short}" for name in names)
    elif section == "Commands":
        yield from (f"{scope}|{name}||{short}" for name in term.split(" ")[0].split("|"))


def _takes(names: list[str], about: str) -> str:
    if "--model" in names:
        return MODELS
    if found := CHOICES.search(about):
        return ",".join(dict.fromkeys(re.findall(r'"([^"]+)"', found["list"])))
    if found := LISTED.search(about):
        return found["list"].replace(" ", "")
    return "?"
