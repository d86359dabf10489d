"""All benches, one after the other: `just bench`, or with names only those: `just bench wrapper`."""

import subprocess
import sys
from pathlib import Path


def main(names: list[str]) -> int:
    files = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    chosen = [file for file in files if not names or file.removeprefix("bench_") in names]
    if not chosen:
        print("there are:", ", ".join(file.removeprefix("bench_") for file in files), file=sys.stderr)
        return 2
    failed = [file for file in chosen if subprocess.run([sys.executable, "-m", f"tests.bench.{file}"]).returncode]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
