#!/usr/bin/env python3
"""From a clone and a bare Python to a working `claudex`: python3 bootstrap/install.py

Safe to run again: what is there stays. `--dry-run` only says what it would do. `claudex self uninstall` takes it back.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "claudex needs Python 3.11 or newer, and this is %d.%d. Install a newer one and run this with it, for instance:"
        " python3.12 bootstrap/install.py" % sys.version_info[:2]
    )

import argparse
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bootstrap.steps import clients, demo, environment, launcher, legacy, service
from bootstrap.steps.console import Console, Outcome, StepFailed
from bootstrap.steps.places import Manifest, locate


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bootstrap/install.py", description="Set claudex up on this machine.")
    parser.add_argument("--yes", action="store_true", help="answer every question with yes")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, touch nothing")
    parser.add_argument("--demo", action="store_true", help="show it working against the simulator, with no login")
    parser.add_argument("--no-clients", action="store_true", help="do not look for claude and codex")
    parser.add_argument("--package", default=str(ROOT), help="what to install: a checkout, wheel or requirement")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = arguments(argv)
    console = Console(yes=options.yes)
    if os.name == "nt":
        console.say(
            "On Windows: `pip install .` in a virtual environment, then `claudex`. This set-up is for Linux and macOS."
        )
        return 2
    try:
        Setup(options, console).run()
    except StepFailed as failure:
        console.failed(failure)
        return 1
    except KeyboardInterrupt:
        console.say("\nInterrupted. Run it again to go on where it stopped.")
        return 130
    return 0


class Setup:
    def __init__(self, options: argparse.Namespace, console: Console) -> None:
        self.options = options
        self.console = console
        self.dry_run: bool = options.dry_run
        self.environ = dict(os.environ)
        self.places = locate(self.environ)
        self.manifest = Manifest.read(self.places.manifest)
        self.stack = service.Stack(self.places, self.environ)

    def run(self) -> None:
        self.console.say(f"claudex set-up{' (dry run: nothing is touched)' if self.dry_run else ''}\n")
        self._programs()
        self._settings()
        if self.options.demo:
            demo.run(self.console, self.places, self.environ, dry_run=self.dry_run)
            self._next(logged_in=(self.places.codex_home / "auth.json").exists())
        else:
            self._next(logged_in=self._service())

    def _programs(self) -> None:
        step, dry_run, places = self.console.step, self.dry_run, self.places
        step(
            "environment", lambda: environment.ensure(self.console, places.venv, self.options.package, dry_run=dry_run)
        )
        self.manifest.environment = str(places.venv)
        if not self.options.no_clients:
            clients.ensure(self.console, places, self.manifest, self.environ, dry_run=dry_run)
        step("command", self._command)
        self._remember()

    def _command(self) -> Outcome:
        wrapper, venv = self.places.wrapper, self.places.venv
        return launcher.ensure(self.console, wrapper, venv, self.manifest, dry_run=self.dry_run, environ=self.environ)

    def _settings(self) -> None:
        self.console.step("home", lambda: service.home(self.stack, dry_run=self.dry_run))
        self.console.step("older stacks", lambda: legacy.ensure(self.stack, self.manifest, dry_run=self.dry_run))
        self._remember()

    def _service(self) -> bool:
        """Login, proxy, probe. Says whether there is a login."""
        step, stack, dry_run = self.console.step, self.stack, self.dry_run
        logged_in = step("login", lambda: service.login(stack, dry_run=dry_run)).word != "skipped"
        if stopped := legacy.old_proxy(self.console, stack, dry_run=dry_run):
            step("old proxy", lambda: stopped)
        step("proxy", lambda: service.start(stack, dry_run=dry_run))
        if logged_in:
            step("probe", lambda: service.probe(self.console, stack, dry_run=dry_run))
        return logged_in

    def _remember(self) -> None:
        if not self.dry_run:
            self.manifest.write(self.places.manifest)

    def _next(self, *, logged_in: bool) -> None:
        say = self.console.say
        if self.dry_run:
            say("\nNothing was touched.")
            return
        say("\nclaudex is set up. Next:")
        if hint := launcher.path_hint(self.places.wrapper, self.environ):
            say(f"  {hint}")
        if not logged_in:
            say("  codex login          your ChatGPT login, which claudex uses")
        say("  claudex              Claude Code on it; every argument of claude works")
        say("  claudex status       how it stands        claudex probe        does it work, and if not, why")
        say("  claudex self uninstall     takes all of this away again")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
