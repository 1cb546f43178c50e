"""Shows that each distribution stands alone: `python tools/isolated [PACKAGE …] [--all] [--lowest]`.

Works on a copy of the commit that is checked out. Builds all wheels and sdists. Then, for each package, in a fresh
virtual environment that holds only its wheel (from the local folder) and what it declares (from pip's index):
nothing undeclared came along, `pip check`, import of every module under `-I -W error`, the README's example as
written; then its own tests, with its extras, against the installed package. Two packages are examined at a time.
Answers status 1 if any step failed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import _artifacts
import _pythons
import _snapshot
from _examination import Examination

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = "torngas"  # the only one that requires the others


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="tools/isolated", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="default: all")
    parser.add_argument("--all", action="store_true", help="under every Python of this machine from 3.11 on")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--lowest", action="store_true", help="also with the lowest declared dependencies")
    chosen.add_argument("--only", choices=("newest", "lowest"), help="with these declared dependencies only")
    parser.add_argument("--no-tests", action="store_true", help="all but the packages' own tests")
    parser.add_argument("--working-tree", action="store_true", help="the tracked files as they stand, not the commit")
    parser.add_argument("--jobs", type=int, default=2, help="packages at a time (default: 2)")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder, and print where it is")
    return parser.parse_args(argv)


def copy_of_the_repository(args: argparse.Namespace, target: Path) -> Path:
    """Copies what is to be examined and says what that is."""
    committed = _snapshot.is_checkout(ROOT) and not args.working_tree
    words = (_snapshot.committed if committed else _snapshot.working_tree)(ROOT, target)
    print(f"examined: {words}", flush=True)
    return target


def examinations(args: argparse.Namespace, folder: Path) -> Iterator[Examination]:
    """Builds everything and answers what is to be examined; raises LookupError for an unknown package."""
    source, wheels = copy_of_the_repository(args, folder / "repository"), folder / "wheels"
    names = sorted(path.name for path in (source / "packages").iterdir() if (path / "pyproject.toml").exists())
    if unknown := sorted(set(args.packages) - set(names)):
        raise LookupError(f"no package {', '.join(unknown)}; there are: {', '.join(names)}")
    needed = set(names if not args.packages or FRAMEWORK in args.packages else args.packages)
    built = {name: _artifacts.build(source / "packages" / name, wheels) for name in sorted(needed)}
    siblings = {name: one.version for name, one in built.items()}
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    dependencies = (args.only,) if args.only else ("newest", "lowest") if args.lowest else ("newest",)
    pythons = _pythons.found() if args.all else {running: sys.executable}
    for version, interpreter in pythons.items():
        for which in dependencies:
            for name in args.packages or names:
                place = folder / f"{version}-{which}" / name
                place.mkdir(parents=True)
                yield Examination(
                    built[name],
                    source,
                    wheels,
                    siblings,
                    interpreter,
                    version,
                    place,
                    which,
                    with_tests=not args.no_tests,
                )


def report(one: Examination, since: float) -> bool:
    """Prints what one examination found; answers whether it failed."""
    print(f"\n{one.built.name} {one.built.version} · Python {one.python} · {one.which} dependencies")
    print(*one.lines, f"  {time.monotonic() - since:.0f} s since the start", sep="\n", flush=True)
    if not one.failed:
        shutil.rmtree(one.folder, ignore_errors=True)
    return one.failed


def main(argv: list[str]) -> int:
    """Examines what is asked for."""
    args, started = parse(argv), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="torngas-isolated-"))
    try:
        todo = list(examinations(args, folder))
        with ThreadPoolExecutor(args.jobs) as pool:
            failed = [report(one, started) for one in pool.map(Examination.run, todo)]
    except (LookupError, _artifacts.BuildFailed) as error:
        print(f"tools/isolated: {error}", file=sys.stderr)
        return 2
    finally:
        if args.keep:
            print(f"\nkept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{len(failed) - sum(failed)} of {len(failed)} stand alone; {time.monotonic() - started:.0f} s")
    return int(any(failed))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
