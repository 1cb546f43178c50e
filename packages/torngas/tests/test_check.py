"""All wrong settings are reported in one pass."""

from __future__ import annotations

import pytest

from torngas import global_settings
from torngas.exception import ConfigError
from torngas.settings_manager import Settings
from torngas.wiring.check import _EXPECTED, check_settings, problems_of


def test_every_problem_stands_in_one_message():
    wrong = Settings(
        {
            "DEBUG": "yes",
            "INSTALLED_APPS": ("no_such_app", "no_such_app"),
            "MIDDLEWARE_CLASSES": ("no.such.Middleware",),
            "ROUTE_MODULES": {"^/x": ["no.such.Module", "!all"]},
            "THREADS_NUM": 0,
            "SHUTDOWN_TIMEOUT": -1,
        }
    )
    with pytest.raises(ConfigError) as caught:
        check_settings(wrong)
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    for name in (
        "DEBUG",
        "INSTALLED_APPS",
        "MIDDLEWARE_CLASSES",
        "ROUTE_MODULES['^/x']",
        "THREADS_NUM",
        "SHUTDOWN_TIMEOUT",
    ):
        assert any(line.startswith(f"{name}: got ") for line in lines), name


def test_the_defaults_are_right():
    assert list(problems_of(Settings())) == []


def test_every_default_is_checked():
    known = {name for name in vars(global_settings) if name.isupper()}
    assert known == set(_EXPECTED)


@pytest.mark.parametrize("name", ["TORNADO_CONF", "SESSION", "CACHES", "DATABASE_CONNECTION"])
def test_no_value_of_what_may_hold_secrets_is_shown(name):
    (line,) = problems_of(Settings({name: ["planted-secret"]}))
    assert line.startswith(f"{name}: got list; expected ")
    assert "planted" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSTALLED_APPS", "blog"),
        ("MIDDLEWARE_CLASSES", "a.B"),
        ("WHITELIST", True),
        ("LOGGING", ["tornado"]),
        ("PING_DB", True),
        ("CACHES", {"default": "locmem"}),
        ("TRUSTED_DOWNSTREAM", "10.0.0.1"),
        ("LOGGING_DIR", None),
    ],
)
def test_wrong_kinds_are_refused(name, value):
    assert [line.partition(":")[0] for line in problems_of(Settings({name: value}))] == [name]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"CACHES": {"default": {"LOCATION": "x"}}}, r"CACHES\['default'\]: got no BACKEND"),
        ({"SESSION": {"session_cache_alias": "nowhere"}}, r"SESSION\['session_cache_alias'\]: got 'nowhere'"),
        ({"SESSION": {"expire": 5}}, "unknown option 'expire'; did you mean 'expires'"),
        ({"DATABASE_CONNECTION": {"default": {"connections": [{"ROLE": "chief", "URL": "sqlite://"}]}}}, "chief"),
    ],
)
def test_what_a_library_would_refuse_is_found_in_the_same_pass(values, message):
    with pytest.raises(ConfigError, match=message) as caught:
        check_settings(Settings({**values, "DEBUG": "yes"}))
    assert len(str(caught.value).splitlines()) == 2
