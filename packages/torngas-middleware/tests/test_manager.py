"""Registering middlewares, and what is refused with which words."""

import sys
import types

import pytest

from torngas_middleware import (
    Application,
    Manager,
    ManagerFrozenError,
    MiddlewareError,
    MiddlewareImportError,
    MiddlewareTypeError,
)

SEVEN = "init call request render exception response endcall".split()


class Call:
    made = 0

    def __init__(self):
        Call.made += 1

    def process_call(self, request, clear):
        pass


class NeedsArguments:
    def __init__(self, name):
        self.name = name

    def process_call(self, request, clear):
        pass


@pytest.fixture
def module(monkeypatch):
    made = types.ModuleType("app_middlewares")
    made.Call, made.instance, made.nothing = Call, NeedsArguments("n"), object()
    monkeypatch.setitem(sys.modules, "app_middlewares", made)
    return made


def test_a_class_is_instantiated_once():
    Call.made = 0
    manager = Manager()
    middleware = manager.register(Call)
    assert (Call.made, manager.middlewares) == (1, (middleware,))
    assert manager.chains.call == (middleware.process_call,)


def test_an_instance_is_taken_as_it_is():
    one = NeedsArguments("one")
    assert Manager([one]).middlewares == (one,)


@pytest.mark.parametrize("path", ["app_middlewares.Call", "app_middlewares:Call"])
def test_a_dotted_path_is_imported(module, path):
    assert isinstance(Manager([path]).middlewares[0], Call)


def test_a_dotted_path_may_lead_to_an_instance(module):
    assert Manager(["app_middlewares.instance"]).middlewares == (module.instance,)


def test_the_order_is_that_of_the_declaration(module):
    first, second = NeedsArguments("1"), NeedsArguments("2")
    manager = Manager()
    manager.register_all([first, "app_middlewares.Call"])
    manager.register(second)
    assert [type(m).__name__ for m in manager.middlewares] == ["NeedsArguments", "Call", "NeedsArguments"]


def test_each_hook_is_compiled_in_its_direction():
    def middleware():
        return types.SimpleNamespace(**{f"process_{kind}": lambda *args: None for kind in SEVEN})

    one, two = middleware(), middleware()
    chains = Manager([one, two]).chains
    for kind in SEVEN:
        expected = (getattr(one, f"process_{kind}"), getattr(two, f"process_{kind}"))
        assert getattr(chains, kind) == (expected if kind in ("init", "call", "request") else expected[::-1])


def test_a_hook_that_is_none_is_not_there():
    class Silent(Call):
        process_request = None

    assert Manager([Silent]).chains.request == ()


def test_a_hook_may_be_a_static_a_class_or_a_decorated_method():
    class Kinds:
        @staticmethod
        def process_call(request, clear): ...

        @classmethod
        def process_request(cls, handler, clear): ...

        process_endcall = print

    chains = Manager([Kinds]).chains
    assert (len(chains.call), len(chains.request), chains.endcall) == (1, 1, (print,))


@pytest.mark.parametrize("wrong", [object, object(), 42, type("WithoutHooks", (), {})])
def test_what_has_no_hook_is_refused_naming_the_seven(wrong):
    with pytest.raises(MiddlewareTypeError) as error:
        Manager([wrong])
    assert isinstance(error.value, TypeError)
    assert all(f"process_{kind}" in str(error.value) for kind in SEVEN)
    assert repr(wrong) in str(error.value)


def test_a_hook_that_cannot_be_called_is_refused():
    with pytest.raises(MiddlewareTypeError, match="expected a callable"):
        Manager([types.SimpleNamespace(process_call="later")])


def test_a_class_that_needs_arguments_is_refused_with_the_remedy():
    with pytest.raises(MiddlewareTypeError, match=r"register an object, e\.g\. NeedsArguments\("):
        Manager([NeedsArguments])


@pytest.mark.parametrize("path", ["nowhere.Middleware", "app_middlewares.Missing", "Middleware", "", ".", "a..b"])
def test_a_path_that_leads_nowhere_is_refused(module, path):
    with pytest.raises(MiddlewareImportError) as error:
        Manager([path])
    assert isinstance(error.value, ImportError)
    assert repr(path) in str(error.value)


def test_the_same_twice_is_refused():
    one = NeedsArguments("one")
    with pytest.raises(MiddlewareTypeError, match="a second time"):
        Manager([one, one])
    with pytest.raises(MiddlewareTypeError, match="a second time"):
        Manager([Call, Call])
    assert len(Manager([NeedsArguments("1"), NeedsArguments("2")]).middlewares) == 2


def test_a_string_is_no_list():
    with pytest.raises(MiddlewareTypeError, match=r"expected a list, e\.g\. \['a\.B'\]"):
        Manager("a.B")


def test_after_compiling_nothing_can_be_registered():
    manager = Manager([Call])
    Application([], middlewares=manager)
    with pytest.raises(ManagerFrozenError) as error:
        manager.register(NeedsArguments("late"))
    assert isinstance(error.value, RuntimeError)
    assert isinstance(error.value, MiddlewareError)


def test_chains_cannot_be_changed():
    chains = Manager([Call]).chains
    with pytest.raises(AttributeError):
        chains.call = ()


def test_the_callers_list_is_not_touched():
    middlewares = [Call]
    Application([], middlewares=middlewares)
    assert middlewares == [Call]
