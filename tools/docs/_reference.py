"""The pages of the API reference: which modules are public, and which of the framework's only hand things on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def import_name(package: str) -> str:
    """The top-level module of a distribution."""
    return package.replace("-", "_")


def public_modules(packages: Path, package: str) -> list[str]:
    """Dotted names of all modules without a leading underscore, the package itself first."""
    base = packages / package / "src"
    names = []
    for path in sorted((base / import_name(package)).rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            names.append(".".join(parts))
    return sorted(names)


def _tree(packages: Path, package: str, module: str) -> ast.Module:
    base = packages / package / "src" / Path(*module.split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def exported(tree: ast.Module) -> list[str]:
    """The literal `__all__` of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def handed_on(tree: ast.Module) -> list[tuple[str, str]] | None:
    """(name, where it comes from) of a module that holds imports and `__all__` only; None for any other."""
    origins: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and not node.level:
            origins |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Assign):
            if not (isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"):
                return None
        elif not isinstance(node, ast.Expr):
            return None
    return [(name, origins[name]) for name in exported(tree) if name in origins]


def _from_private_modules(tree: ast.Module) -> set[str]:
    """The names that a module imports from modules with an underscore."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and any(part.startswith("_") for part in (node.module or "").split("."))
        for alias in node.names
    }


def _builds_on_private_classes(tree: ast.Module, own: list[str]) -> bool:
    """Whether methods of what it exports are defined in modules that the reference does not show."""
    private = _from_private_modules(tree)
    bases = {
        child.id
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name in own
        for base in node.bases
        for child in ast.walk(base)
        if isinstance(child, ast.Name)
    }
    return bool((bases | set(own)) & private)


def _own(tree: ast.Module) -> list[str]:
    """What a module exports and no other public module documents: defined here, or in a module with an underscore."""
    defined = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id for target in targets if isinstance(target, ast.Name)}
    defined |= _from_private_modules(tree)
    return [name for name in exported(tree) if name in defined]


def _parts(packages: Path, package: str) -> Iterator[str]:
    thin: list[tuple[str, str, str]] = []
    for module in public_modules(packages, package):
        tree = _tree(packages, package, module)
        handed = handed_on(tree)
        if handed is not None and module != import_name(package):
            thin += [(module, name, origin) for name, origin in handed]
            continue
        if module == import_name(package):
            yield f"`{module}` exports {', '.join(f'`{name}`' for name in exported(tree))}.\n"
        if own := [name for name in _own(tree) if not name.startswith("__")]:
            members = "".join(f"        - {name}\n" for name in own)
            inherited = str(_builds_on_private_classes(tree, own)).lower()
            yield f"::: {module}\n    options:\n      inherited_members: {inherited}\n      members:\n{members}"
    if thin:
        yield "## Other paths to the same objects\n\n| path | is |\n|---|---|"
        yield "".join(f"| `{module}.{name}` | `{origin}` |\n" for module, name, origin in thin)


def page(packages: Path, package: str) -> str:
    """One distribution's page."""
    return f"# {package}\n\n" + "\n".join(_parts(packages, package)) + "\n"
