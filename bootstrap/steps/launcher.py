"""The command itself: one small file at CLAUDEX_WRAPPER that starts the environment's Python without `site`.

A console script made by pip imports `re` and walks `site`. This file costs neither.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .console import Console, Outcome, StepFailed, already, done, would
from .environment import python_of
from .places import Manifest

MARK = "# claudex launcher: written by claudex's bootstrap, removed by `claudex self uninstall`"
SHEBANG_LIMIT = 120  # Linux cuts the line at 127 bytes before 5.1, and macOS at 512
BODY = """\
{mark}
import sys

sys.path.append({site!r})
from claudex.wrapper.launch import main

sys.exit(main())
"""


def text(venv: Path, site: str) -> str:
    """The launcher's content. A path that a `#!` line cannot hold goes through sh."""
    python = str(python_of(venv))
    if " " in python or len(python) > SHEBANG_LIMIT:
        head = f"#!/bin/sh\n'''exec' {_sh_quote(python)} -IS \"$0\" \"$@\"\n' '''\n"
    else:
        head = f"#!{python} -IS\n"
    return head + BODY.format(mark=MARK, site=site)


def _sh_quote(value: str) -> str:
    return '"' + "".join("\\" + char if char in '"$`\\' else char for char in value) + '"'


def is_ours(path: Path) -> bool:
    try:
        return MARK in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def ensure(
    console: Console, wrapper: Path, venv: Path, manifest: Manifest, *, dry_run: bool, environ: Mapping[str, str]
) -> Outcome:
    """Step: the command in place. What stood there and is not ours is kept under another name."""
    foreign = os.path.lexists(wrapper) and not is_ours(wrapper)
    if dry_run:
        keep = f", keeping the present one as {backup_name(wrapper)}" if foreign else ""
        return would(f"write {wrapper}{keep}")
    content = text(venv, _site_packages(venv))
    if is_ours(wrapper) and wrapper.read_text(encoding="utf-8") == content:
        manifest.add(wrapper)
        return already(str(wrapper))
    kept = _set_aside(console, wrapper, manifest) if foreign else ""
    _write_executable(wrapper, content)
    manifest.add(wrapper)
    return done(f"{wrapper}{kept}{_shadowed(wrapper, environ)}")


def _site_packages(venv: Path) -> str:
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return subprocess.run([python_of(venv), "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def backup_name(path: Path) -> Path:
    """A free name beside `path`."""
    for number in range(1, 1000):
        name = path.with_name(f"{path.name}.before-claudex" + (f"-{number}" if number > 1 else ""))
        if not os.path.lexists(name):
            return name
    raise StepFailed(f"there are a thousand old copies beside {path}.", "Tidy them up first.")


def _set_aside(console: Console, wrapper: Path, manifest: Manifest) -> str:
    backup = backup_name(wrapper)
    if not console.ask(f"{wrapper} is another program. Keep it as {backup} and put claudex there?"):
        raise StepFailed(
            f"{wrapper} is another program called claudex.",
            "Run this again with --yes to keep it under another name, or set CLAUDEX_WRAPPER to another place.",
        )
    os.rename(wrapper, backup)
    manifest.backups[str(wrapper)] = str(backup)
    return f" (what stood there is now {backup})"


def _write_executable(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(content, encoding="utf-8")
    temporary.chmod(temporary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    os.replace(temporary, path)


def _shadowed(wrapper: Path, environ: Mapping[str, str]) -> str:
    first = shutil.which(wrapper.name, path=environ.get("PATH"))
    if first is None or os.path.realpath(first) == os.path.realpath(wrapper):
        return ""
    return f" (mind: {first} comes first on PATH)"


def path_hint(wrapper: Path, environ: Mapping[str, str]) -> str:
    """The line that puts the command on PATH, or "" when it is there."""
    folder = str(wrapper.parent)
    if folder in environ.get("PATH", "").split(os.pathsep):
        return ""
    if environ.get("SHELL", "").endswith("fish"):
        return f"fish_add_path {folder}"
    profile = "~/.zshrc" if environ.get("SHELL", "").endswith("zsh") else "~/.profile"
    return f'echo \'export PATH="{folder}:$PATH"\' >> {profile} && export PATH="{folder}:$PATH"'
