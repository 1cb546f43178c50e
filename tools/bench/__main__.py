"""Runs the benchmark of one package, or of all: `python tools/bench [PACKAGE] [--quick] [--strict] …`.

Every script is a process of its own, so that no peer's import disturbs another package's numbers.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = {path.stem.removeprefix("bench_").replace("_", "-"): path for path in sorted(HERE.glob("bench_*.py"))}
PACKAGES = sorted((path.name for path in (HERE.parents[1] / "packages").iterdir()), key=len, reverse=True)


def scripts_of(package: str) -> list[str]:
    """The scripts of a package: "torngas-cache" and "torngas-cache-remote", and those of no other package."""
    return [name for name in SCRIPTS if next((one for one in PACKAGES if name.startswith(one)), name) == package]


def main(argv: list[str]) -> int:
    """Answers 1 if any script did."""
    wanted = argv[:1] if argv and not argv[0].startswith("-") else []
    chosen = scripts_of(wanted[0]) or [name for name in wanted if name in SCRIPTS] if wanted else list(SCRIPTS)
    if not chosen:
        print(f"tools/bench: no benchmark for {wanted[0]!r}; there are {', '.join(SCRIPTS)}", file=sys.stderr)
        return 2
    status = 0
    for name in chosen:
        command = [sys.executable, str(SCRIPTS[name]), *argv[len(wanted) :]]
        status = max(status, subprocess.run(command, check=False).returncode)
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
