"""`torngas startproject` and `torngas startapp`: the documented tree, filled with little, which runs at once."""

from __future__ import annotations

import ast
import importlib.util
import keyword
import secrets
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template

import click

from torngas.cli._output import good, warned

__all__ = ["startapp", "startproject"]

_PROJECT = """\b
Examples:
  torngas startproject blog              makes blog/
  torngas startproject blog /srv/blog    makes the folder that you name
  cd blog && python runserver.py
"""
_APP = """\b
Examples:
  torngas startapp shop                  makes shop/ in the project that is the current folder
"""
_SUFFIX = ".tpl"


@click.command(epilog=_PROJECT)
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def startproject(name: str, folder: Path | None) -> None:
    """Makes a project NAME, in FOLDER (else in ./NAME): an app, settings, a page, a test."""
    _refuse_bad_name(name, imported=False)
    target = folder or Path(name)
    if target.is_dir() and any(target.iterdir()):
        raise click.ClickException(f"startproject: got {str(target)!r}, which is not empty; expected a new folder")
    secret = f"development-{secrets.token_urlsafe(32)}"
    _write("project", target, name=name, secret=secret)
    click.echo(f"{good('made')} {target}/")
    click.echo(f"\n  cd {target}\n  python runserver.py      # http://127.0.0.1:8000/\n  python -m pytest")


@click.command(epilog=_APP)
@click.argument("name")
def startapp(name: str) -> None:
    """Makes an app NAME in the project that is the current folder, and adds it to INSTALLED_APPS."""
    _refuse_bad_name(name, imported=True)
    if not Path("settings").is_dir() and not Path("settings.py").is_file():
        raise click.ClickException(
            "startapp: got a folder without settings; expected a project's, which holds settings/ and runserver.py; "
            "cd to it, or make one with `torngas startproject NAME`"
        )
    target = Path(name)
    if target.exists():
        raise click.ClickException(f"startapp: got {name!r}, which is here already; expected a new name")
    _write("app", target, name=name, title=name.title().replace("_", ""))
    click.echo(f"{good('made')} {target}/")
    if not _install(name):
        click.echo(warned(f"add {name!r} to INSTALLED_APPS in the settings, so that it is served"))
        return
    click.echo(f"{good('added')} {name!r} to INSTALLED_APPS; see http://127.0.0.1:8000/{name}/")


def _refuse_bad_name(name: str, *, imported: bool) -> None:
    """A project's name only names a folder; an app's is imported, and must hide no other module."""
    if not name.isascii() or not name.replace("-", "_").isidentifier() or keyword.iskeyword(name):
        raise click.BadParameter(f"got {name!r}; expected letters, digits and _, a letter first", param_hint="NAME")
    if not imported:
        return
    if not name.isidentifier():
        raise click.BadParameter(f"got {name!r}, which does not import; expected {name.replace('-', '_')!r}")
    if name in sys.stdlib_module_names or (importlib.util.find_spec(name) and not Path(name).exists()):
        raise click.BadParameter(f"got {name!r}, the name of an installed module; expected another", param_hint="NAME")


def _write(kind: str, target: Path, **values: str) -> None:
    for place, source in _sources(files("torngas.cli").joinpath("templates", kind), PurePosixPath()):
        path = target / str(place).replace("@name@", values["name"]).removesuffix(_SUFFIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not `substitute`: a template of pages or shell commands may hold other dollars.
        path.write_text(Template(source.read_text("utf-8")).safe_substitute(values), encoding="utf-8")


def _sources(folder: Traversable, place: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        if item.is_dir():
            yield from _sources(item, place / item.name)
        elif item.name.endswith(_SUFFIX):
            yield place / item.name, item


def _install(app: str) -> bool:
    """Adds an app to INSTALLED_APPS, where that is written as one tuple or list; answers whether it did."""
    for path in (Path("settings/settings.py"), Path("settings.py")):
        if path.is_file() and (changed := _with_app(path.read_text("utf-8"), app)):
            path.write_text(changed, encoding="utf-8")
            return True
    return False


def _with_app(source: str, app: str) -> str | None:
    value = _installed_apps(source)
    if value is None or value.end_lineno is None or value.end_col_offset is None:
        return None
    lines = source.splitlines(keepends=True)
    last = lines[value.end_lineno - 1].encode()
    before, after = last[: value.end_col_offset - 1].decode(), last[value.end_col_offset - 1 :].decode()
    comma = "" if not value.elts or before.rstrip().endswith(",") or not before.strip() else ","
    if before.strip():
        ending = "," if isinstance(value, ast.Tuple) and not value.elts else ""
        lines[value.end_lineno - 1] = f'{before}{comma}{" " if value.elts else ""}"{app}"{ending}{after}'
    else:
        lines[value.end_lineno - 1] = f'{before}    "{app}",\n{before}{after}'
    changed = "".join(lines)
    found = _installed_apps(changed)
    return changed if found is not None and app in _texts(found) else None


def _installed_apps(source: str) -> ast.Tuple | ast.List | None:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "INSTALLED_APPS" for one in node.targets
        ):
            return node.value if isinstance(node.value, ast.Tuple | ast.List) else None
    return None


def _texts(value: ast.Tuple | ast.List) -> list[object]:
    return [item.value for item in value.elts if isinstance(item, ast.Constant)]
