"""The package as a whole."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import torngas_logger

PROGRAM = """
import logging, os, sys, threading
before = os.listdir("."), list(logging.root.handlers), threading.active_count()
opened = []
sys.addaudithook(lambda name, args: opened.append(args) if name == "open" and "w" in str(args[1]) else None)
import torngas_logger
assert (os.listdir("."), list(logging.root.handlers), threading.active_count()) == before
assert not opened, opened
assert not {"tornado", "asyncio", "multiprocessing"} & sys.modules.keys()
assert not [name for name in logging.root.manager.loggerDict if logging.getLogger(name).handlers]
"""


def test_importing_opens_starts_and_configures_nothing(tmp_path):
    """Also no optional library is loaded."""
    subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], cwd=tmp_path, check=True)


def test_all_is_sorted_and_is_what_is_public():
    """Of the package and of its public modules."""
    folder = Path(torngas_logger.__file__).parent
    exported = set()
    for path in folder.glob("[a-z]*.py"):
        names = __import__(f"torngas_logger.{path.stem}", fromlist=["__all__"]).__all__
        assert list(names) == sorted(names), path
        tree = ast.parse(path.read_text())
        defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        assert {name for name in defined if not name.startswith("_")} <= set(names), path
        exported |= set(names)
    assert torngas_logger.__all__ == sorted(torngas_logger.__all__)
    assert set(torngas_logger.__all__) <= exported


def test_every_module_has_a_docstring_and_a_bounded_size():
    """400 lines are the ceiling."""
    for path in Path(torngas_logger.__file__).parent.glob("*.py"):
        text = path.read_text()
        assert ast.get_docstring(ast.parse(text)), path
        assert text.count("\n") <= 400, path


@pytest.mark.parametrize("name", ["LoggerConfigError"])
def test_errors_have_one_base_and_a_builtin(name):
    """Catch either."""
    error = getattr(torngas_logger, name)
    assert issubclass(error, torngas_logger.LoggerError)
    assert issubclass(error, ValueError)
