"""What the wrapper costs, as ratios from interleaved rounds, so that a busy machine slows every side.

    python -m tests.bench.bench_wrapper [--rounds N]

- wrapper over `python -c pass` of the same environment, with the proxy up (aim: 1.10 or less): by the launcher that
  bootstrap writes, and by the console script that pip writes
- wrapper with the proxy down, so that it has to bind and spawn, over proxy up (aim: 1.3 or less)
"""

import argparse
import os
import platform
import signal
import statistics
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrap.steps.launcher import text as launcher_text
from claudex import home as claudex_home
from claudex import paths
from claudex.wrapper import owner
from tests.ports import free_port
from tests.wrapper.conftest import SOURCE, executable, wait_until

ROUNDS = 40
SETTLE_S = 0.3  # after its start the proxy warms up for a moment

PIP_SCRIPT = """\
#!{python}
import sys
from claudex.wrapper.launch import main
if __name__ == '__main__':
    if sys.argv[0].endswith('.exe'):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(main())
"""

# exit(0) in machine code: (ELF machine number, instructions). A `claude` that costs nothing, so that we see ourselves.
EXIT = {
    "x86_64": (62, bytes.fromhex("b83c00000031ff0f05")),
    "aarch64": (183, bytes.fromhex("a80b80d2000080d2010000d4")),
}


def stub(path: Path) -> Path:
    """The smallest program there is; /bin/true where we cannot write one."""
    if sys.platform != "linux" or platform.machine() not in EXIT:
        return Path("/usr/bin/true" if os.path.exists("/usr/bin/true") else "/bin/true")
    machine, code = EXIT[platform.machine()]
    base, head = 0x400000, 64 + 56
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    elf = ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, head + len(code), head + len(code), 0x1000)
    path.write_bytes(elf + segment + code)
    path.chmod(0o755)
    return path


@dataclass
class Bench:
    folder: Path
    environ: dict[str, str]
    home: str
    port: int

    def timed(self, *command: str | Path) -> float:
        began = time.perf_counter()
        subprocess.run(command, env=self.environ, cwd=self.folder, check=True)
        return time.perf_counter() - began

    def settle(self) -> None:
        spawned, state = paths.spawned(self.home), paths.proxy_state(self.home)
        wait_until(lambda: os.path.exists(state) and os.stat(state).st_mtime_ns > os.stat(spawned).st_mtime_ns)
        time.sleep(SETTLE_S)

    def kill(self) -> None:
        found = owner.find(self.port)
        if found and found.is_proxy:
            os.kill(found.pid, signal.SIGKILL)
            wait_until(lambda: not owner.command_of(found.pid))


def prepare(folder: Path) -> Bench:
    home, port = str(folder / "home"), free_port()
    environ = {
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        paths.HOME_VARIABLE: home,
        paths.PORT_VARIABLE: str(port),
        paths.UPSTREAM_VARIABLE: "http://127.0.0.1:9/backend-api",
        "CLAUDE_BIN": str(stub(folder / "claude")),
    }
    (folder / ".codex").mkdir()
    (folder / ".codex/auth.json").write_text("{}")
    claudex_home.prepare(home, environ, port)
    return Bench(folder, environ, home, port)


def measure(bench: Bench, rounds: int) -> dict[str, list[float]]:
    site = sysconfig.get_path("purelib") if "site-packages" in str(SOURCE) else str(SOURCE)
    launcher = executable(bench.folder / "launcher", launcher_text(Path(sys.prefix), site))
    console = executable(bench.folder / "console", PIP_SCRIPT.format(python=sys.executable))
    sides: dict[str, Callable[[], float]] = {
        "pass": lambda: bench.timed(sys.executable, "-c", "pass"),
        "up": lambda: bench.timed(launcher, "-p"),
        "console": lambda: bench.timed(console, "-p"),
        "down": lambda: bench.timed(launcher, "-p"),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    bench.timed(launcher, "-p")
    bench.settle()
    for _ in range(rounds):
        for name, side in sides.items():
            if name == "down":
                bench.kill()
            times[name].append(side())
        bench.settle()
    return times


def report(times: dict[str, list[float]]) -> str:
    median = {name: statistics.median(values) for name, values in times.items()}
    best = {name: min(values) for name, values in times.items()}
    rows = [
        ("wrapper (launcher) / python -c pass", "up", "pass", "aim 1.10"),
        ("wrapper (pip's console script) / python -c pass", "console", "pass", ""),
        ("wrapper, proxy down / proxy up", "down", "up", "aim 1.30"),
    ]
    lines = [
        f"{name:<50} {median[side] / median[yard]:5.2f}  undisturbed {best[side] / best[yard]:5.2f}  {aim}".rstrip()
        for name, side, yard, aim in rows
    ]
    medians = ", ".join(f"{name} {value * 1e3:.1f}" for name, value in median.items())
    return "\n".join([*lines, f"medians of {len(times['pass'])} rounds, ms: {medians}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        bench = prepare(Path(folder))
        try:
            print(report(measure(bench, rounds)))
        finally:
            bench.kill()


if __name__ == "__main__":
    main()
