"""What is public, and what importing it does."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import torngas_signal
from torngas_signal import exceptions, lifecycle, namespace

PUBLIC = [torngas_signal, exceptions, lifecycle, namespace]


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_all_is_sorted_and_is_what_is_public(module):
    assert list(module.__all__) == sorted(module.__all__)
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and (getattr(value, "__module__", None) or "").startswith("torngas_signal")
    }
    assert {name for name in public if module is torngas_signal or _is_of(module, name)} <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def _is_of(module, name):
    return getattr(vars(module)[name], "__module__", None) == module.__name__


def test_every_other_module_is_private():
    names = {name for _, name, _ in pkgutil.iter_modules(torngas_signal.__path__) if not name.startswith("_")}
    assert names == {"exceptions", "lifecycle", "namespace"}


def test_every_public_thing_is_documented():
    for module in PUBLIC:
        assert module.__doc__
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                assert value.__doc__, name
    for name, member in inspect.getmembers(torngas_signal.Signal):
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            assert member.__doc__, name


def test_errors_have_one_base_and_a_fitting_builtin():
    for name in exceptions.__all__:
        error = getattr(exceptions, name)
        assert issubclass(error, (exceptions.SignalError, Warning))
    assert issubclass(exceptions.PayloadError, TypeError)
    assert issubclass(exceptions.ReceiverError, TypeError)
    assert issubclass(exceptions.AsyncReceiverError, RuntimeError)


def test_the_documented_signatures():
    parameters = {
        "connect": "(self, receiver=None, sender=ANY, *, weak=True, dispatch_uid=None, priority=0, once=False)",
        "disconnect": "(self, receiver=None, sender=ANY, *, dispatch_uid=None)",
        "connect_via": "(self, sender, weak=False)",
        "connected_to": "(self, receiver, sender=ANY)",
        "muted": "(self)",
        "send": "(self, sender=None, /, **payload)",
        "send_robust": "(self, sender=None, /, **payload)",
        "asend": "(self, sender=None, /, **payload)",
        "asend_robust": "(self, sender=None, /, **payload)",
        "has_listeners": "(self, sender=None)",
        "has_receivers_for": "(self, sender)",
        "receivers_for": "(self, sender)",
    }
    for name, expected in parameters.items():
        signature = inspect.signature(getattr(torngas_signal.Signal, name))
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
        assert str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)) == expected


def test_signal_is_generic():
    assert torngas_signal.Signal[...]
    assert torngas_signal.Signal[[int]]().send() == []


def test_importing_is_pure():
    """No thread, no loop, no logging set-up, no driver, nothing of the siblings."""
    code = (
        "import sys, threading, logging\n"
        "import torngas_signal, torngas_signal.lifecycle\n"
        "assert threading.active_count() == 1\n"
        "assert not logging.root.handlers and not logging.getLogger('torngas_signal').handlers\n"
        "import asyncio\n"
        "assert asyncio.events._get_running_loop() is None\n"
        "assert getattr(asyncio.get_event_loop_policy()._local, '_loop', None) is None\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "foreign = loaded & {'tornado', 'typing_extensions', 'blinker', 'django'}\n"
        "assert not foreign, foreign\n"
        "siblings = {name for name in loaded if name.startswith('torngas')} - {'torngas_signal'}\n"
        "assert not siblings, siblings\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_nothing_of_the_package_imports_a_framework():
    for _, name, _ in pkgutil.iter_modules(torngas_signal.__path__):
        source = inspect.getsource(importlib.import_module(f"torngas_signal.{name}"))
        assert "import tornado" not in source
        assert "from tornado" not in source
