"""The public API of one import package as text, one line per name: run in a fresh interpreter, prints to stdout."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def modules(name: str) -> Iterator[ModuleType]:
    """The package and its public modules that import here, in order of their names."""
    package = importlib.import_module(name)
    yield package
    for found in sorted(pkgutil.walk_packages(package.__path__, f"{name}."), key=lambda one: one.name):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def signature(thing: Any) -> str:
    """Its signature without annotations: names, kinds and defaults are what callers depend on."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    text = str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _prefix(function: Any) -> str:
    return "async def" if inspect.iscoroutinefunction(function) else "def"


def members(owner: type) -> Iterator[str]:
    """The public members of a class, inherited ones of the same distribution included."""
    ours = {owner.__module__.split(".")[0]}
    for name in sorted(dir(owner)):
        if name.startswith("_"):
            continue
        where = next((base for base in owner.__mro__ if name in vars(base)), None)
        if where is None or where.__module__.split(".")[0] not in ours:
            continue
        raw = vars(where)[name]
        if isinstance(raw, classmethod | staticmethod):
            yield f"    {type(raw).__name__} {name}{signature(getattr(owner, name))}"
        elif inspect.isfunction(raw):
            yield f"    {_prefix(raw)} {name}{signature(raw)}"
        elif isinstance(raw, property) or hasattr(raw, "__get__"):
            yield f"    property {name}"
        else:
            yield f"    {name}"


def entry(name: str, thing: Any) -> Iterator[str]:
    """The lines of one exported name."""
    if inspect.isclass(thing):
        bases = ", ".join(base.__name__ for base in thing.__bases__ if base is not object and base.__name__[0] != "_")
        yield f"  class {name}({bases}){'' if issubclass(thing, BaseException) else ': ' + signature(thing)}"
        yield from members(thing)
    elif inspect.isroutine(thing):
        yield f"  {_prefix(thing)} {name}{signature(thing)}"
    elif inspect.ismodule(thing):
        yield f"  module {name}"
    else:
        yield f"  {name}: {type(thing).__name__}"


def listing(name: str) -> Iterator[str]:
    """All lines; a name that is defined in another distribution, or in another public module, is one line."""
    for module in modules(name):
        exported = sorted(getattr(module, "__all__", ()))
        if not exported:
            continue
        yield module.__name__
        for public in exported:
            thing = getattr(module, public)
            home = getattr(thing, "__module__", None) or module.__name__
            elsewhere = isinstance(home, str) and home != module.__name__ and "._" not in home
            if elsewhere and not inspect.ismodule(thing) and callable(thing):
                yield f"  {public} = {home}.{getattr(thing, '__qualname__', public)}"
            else:
                yield from entry(public, thing)


if __name__ == "__main__":
    print("\n".join(listing(sys.argv[1])))
