"""The order and the exclusions, against a straightforward model."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from torngas_httpmodule import BaseHttpModule, Plan
from torngas_httpmodule.declaration import Declaration, name_of
from torngas_httpmodule.plan import REMEMBERED


def make(name):
    return type(name, (BaseHttpModule,), {"begin_request": lambda self, handler, clear: None, "__module__": "m"})


MODULES = {name: make(name) for name in "ABCDEF"}
PATHS = ["/", "/user/7", "/user/7/edit", "/admin", "/admin/user/7"]
KEYS = ["^/user/", "^/admin", "user", "/$", "Index", "User"]
NAMES = ("Index", "User")


class _Importable:
    """`!x` is written as a dotted path; the modules of this test stand in a module of their own."""

    def __enter__(self):
        import sys
        import types

        module = types.ModuleType("m")
        vars(module).update(MODULES)
        sys.modules["m"] = module

    def __exit__(self, *exc):
        import sys

        del sys.modules["m"]


def expected(common, routes, name, path):
    """The rules as the README tells them, without any cleverness."""
    matching = [key for key in routes if (key == name if key in NAMES else re.search(key, path))]
    entries = [entry for key in matching for entry in routes[key]]
    run = []
    if "!all" not in entries:
        run = [module for module in common if "!" + module not in entries]
    for entry in entries:
        if not entry.startswith("!") and entry not in run:
            run.append(entry)
    return run


@st.composite
def declarations(draw):
    common = draw(st.lists(st.sampled_from("ABCD"), unique=True))
    allowed = [*MODULES, "!all", *("!" + name for name in common)]
    routes = draw(st.dictionaries(st.sampled_from(KEYS), st.lists(st.sampled_from(allowed), max_size=5)))
    return common, routes


@settings(max_examples=400, deadline=None)
@given(declarations(), st.sampled_from([None, *NAMES, "Other"]), st.sampled_from(PATHS))
def test_what_runs_is_what_the_model_says(declared, name, path):
    common, routes = declared
    with _Importable():
        spelt = {key: [("!m." + e[1:] if e[0] == "!" and e != "!all" else e) for e in es] for key, es in routes.items()}
        spelt = {key: [MODULES.get(e, e) for e in es] for key, es in spelt.items()}
        plan = Plan(Declaration([MODULES[one] for one in common], spelt), NAMES)
    wanted = expected(common, routes, name, path)
    chains = plan.chains(name, path)
    assert [type(hook.__self__).__name__ for hook in chains.request] == wanted
    assert [use.module for use in plan.describe(name, path)] == ["m." + one for one in wanted]
    assert plan.chains(name, path) is chains


def test_a_common_module_listed_beside_all_runs_where_the_route_lists_it():
    a, b, c = MODULES["A"], MODULES["B"], MODULES["C"]
    plan = Plan(Declaration([a, b], {"^/": [c, a, "!all"]}))
    assert [use.module for use in plan.describe(path="/")] == ["m.C", "m.A"]


def test_describe_tells_where_a_module_was_declared_and_its_hooks():
    plan = Plan(Declaration([MODULES["A"]], {"^/u": [MODULES["B"]]}))
    assert [str(use) for use in plan.describe(path="/u")] == ["m.A (common): begin_request", "m.B (^/u): begin_request"]
    assert plan.describe(path="/u", found=False) == plan.describe(path="/u")
    assert plan.describe(path="/x", found=False) == []


def test_an_object_is_used_as_it_is_and_a_class_is_made_once():
    made = MODULES["A"]()
    plan = Plan(Declaration([made, MODULES["B"]], {"^/u": [MODULES["B"], "!all"]}))
    first, second = plan.chains(None, "/").request
    assert first.__self__ is made
    assert plan.chains(None, "/u").request[0].__self__ is second.__self__


def test_remembered_paths_are_bounded():
    plan = Plan(Declaration([], {"^/u": [MODULES["A"]]}))
    for number in range(REMEMBERED + 100):
        plan.chains(None, f"/u/{number}")
    assert plan._chains.cache_info().currsize == REMEMBERED


def test_names_are_dotted_paths():
    assert name_of(MODULES["A"]) == name_of(MODULES["A"]()) == "m.A"
