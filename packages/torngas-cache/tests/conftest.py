"""Fixtures of the contract suite: every test that asks for `api` runs against every backend, plain and as coroutines.

A backend takes part by a class in a file `backends_*.py` beside this one; see `backends_local.py` for what it needs.
"""

import importlib.util
import itertools
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _load(path):
    name = f"torngas_cache_tests_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


FACTORIES = {}
for _path in sorted(HERE.glob("backends_*.py")):
    FACTORIES |= _load(_path).FACTORIES
for _path in sorted(HERE.glob("fixtures_*.py")):
    globals().update({key: value for key, value in vars(_load(_path)).items() if not key.startswith("_")})


def _fixtures():
    """The public names of `fixtures_*.py`."""
    found = {}
    for path in sorted(HERE.glob("fixtures_*.py")):
        spec = importlib.util.spec_from_file_location(f"torngas_cache_tests_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.update({name: value for name, value in vars(module).items() if not name.startswith("_")})
    return found


globals().update({name: value for name, value in _fixtures().items() if name not in globals()})


class Api:
    """A cache whose methods are all coroutines: `await api.get("k")` calls `get` or awaits `aget`."""

    def __init__(self, cache, kind):
        self.cache, self.kind = cache, kind

    def __getattr__(self, name):
        method = getattr(self.cache, f"a{name}" if self.kind == "coroutines" else name)

        async def call(*args, **kwargs):
            result = method(*args, **kwargs)
            return await result if self.kind == "coroutines" else result

        return call


@pytest.fixture(params=[*FACTORIES])
def backend(request):
    """The factory of one backend; what it makes is closed afterwards."""
    factory = FACTORIES[request.param](request)
    yield factory
    factory.close()


@pytest.fixture(params=["plain", "coroutines"])
def kind(request):
    """How `api` calls the cache."""
    return request.param


@pytest.fixture
async def make(backend, kind):
    """make(**configuration) -> an `Api`; all that one test makes share their store."""
    made = []

    def make_one(**config):
        made.append(Api(backend.make(**config), kind))
        return made[-1]

    yield make_one
    for api in made:
        await api.cache.aclose()


@pytest.fixture
async def api(make):
    """A cache with the defaults."""
    return make()


_numbers = itertools.count()


@pytest.fixture
def name():
    """A name that no other test uses."""
    return f"test-{next(_numbers)}"


class Clock:
    """A clock that stands still until it is told to advance."""

    def __init__(self, now=1_000_000.0):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    """A `Clock`."""
    return Clock()
