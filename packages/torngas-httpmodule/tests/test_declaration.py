"""What is wrong in a declaration is an error that names the key and the remedy."""

from __future__ import annotations

import warnings

import pytest
from tornado.web import Application, RequestHandler, URLSpec

from torngas_httpmodule import (
    BaseHttpModule,
    HttpModuleMiddleware,
    ModuleConfigError,
    ModuleImportError,
    UnmatchedKeyWarning,
    install,
)


class Common(BaseHttpModule):
    def begin_request(self, handler, clear):
        pass


class Other(Common):
    pass


class Empty(BaseHttpModule):
    pass


class NeedsArguments(Common):
    def __init__(self, what):
        pass


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """This file under its module name, however it was collected."""
    import sys
    import types

    module = types.ModuleType("declared_modules")
    module.Common, module.Other, module.Empty = Common, Other, Empty
    monkeypatch.setitem(sys.modules, "declared_modules", module)


@pytest.mark.parametrize(
    ("common", "routes", "message"),
    [
        (["no.such.Module"], {}, r"COMMON_MODULES: got 'no\.such\.Module', which does not import"),
        (["declared_modules.Nothing"], {}, "which does not import"),
        (["Common"], {}, "which does not import"),
        ([], {"^/a": ["no.such.Module"]}, r"ROUTE_MODULES\['\^/a'\]: got 'no\.such\.Module'"),
        ([int], {}, "expected a subclass of torngas_httpmodule.BaseHttpModule"),
        (["declared_modules.Empty"], {}, "has none of the hooks; expected one of begin_request, begin_render"),
        ("declared_modules.Common", {}, "got the string 'declared_modules.Common'; expected a list"),
        ([], {"^/a": "declared_modules.Common"}, "expected a list"),
        (
            ["declared_modules.Common"],
            {"^/a": ["!declared_modules.Other"]},
            r"got '!declared_modules\.Other', which is not in COMMON_MODULES",
        ),
        ([], {"^/a": ["!no.such"]}, "does not import"),
        (
            [],
            {"/(": ["declared_modules.Common"]},
            r"ROUTE_MODULES\['/\('\]: is no route's name and no regular expression",
        ),
        ([NeedsArguments], {}, "cannot be made without arguments"),
    ],
)
def test_mistakes_are_named(common, routes, message):
    with pytest.raises(ModuleConfigError, match=message):
        install(Application([("/a", RequestHandler)]), common=common, routes=routes)


def test_an_import_error_is_also_a_builtin_one():
    with pytest.raises(ModuleImportError) as caught:
        HttpModuleMiddleware(["no.such.Module"])
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value.__cause__, ImportError)


def test_the_documented_configuration_is_accepted_as_written():
    HttpModuleMiddleware(
        ("declared_modules.Common",),
        {
            "^/user/.*$": ["declared_modules.Other", "!declared_modules.Common"],
            "Index": ["!declared_modules.Common"],
            "^/x": ["declared_modules.Other", "!all"],
        },
    )


def test_a_hook_is_recognised_by_its_attributes_name():
    def decorated(self, handler, clear):
        pass

    decorated.__name__ = "something_else"
    module = type("Decorated", (BaseHttpModule,), {"begin_request": decorated})
    assert HttpModuleMiddleware([module]).process_request


ROUTES = [
    URLSpec("/user/([0-9]+)/?", RequestHandler, name="User"),
    URLSpec("/about", RequestHandler, name="About"),
    URLSpec(r"/photo\.png", RequestHandler),
]


@pytest.mark.parametrize("key", ["^/usr/", "^/aboutx", "^/photo.png/", "Abuot", "^/users/"])
def test_a_key_that_no_route_can_match_warns(key):
    with pytest.warns(UnmatchedKeyWarning):
        install(Application(ROUTES), routes={key: [Common]})


@pytest.mark.parametrize(
    "key", ["^/user/.*$", "User", "About", "/about", "about$", "^/user/7/?$", "^/", "png", "(?i)^/X"]
)
def test_a_key_that_some_route_may_match_does_not(key):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        install(Application(ROUTES), routes={key: [Common]})


def test_a_near_miss_of_a_name_is_told():
    with pytest.warns(UnmatchedKeyWarning, match="did you mean the route's name 'About'"):
        install(Application(ROUTES), routes={"Abuot": [Common]})
