"""Settings: sources, access, errors."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterator

import pytest

from torngas import global_settings
from torngas.exception import BaseError, ConfigError
from torngas.settings_manager import (
    SETTINGS_MODULE_ENVIRON,
    LazySettings,
    Settings,
    UnknownSettingWarning,
    load_settings,
)


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    made = types.ModuleType("settings_of_a_test")
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


def test_a_users_name_replaces_the_default_and_any_name_is_readable(module):
    module.PROJECT_PATH = "/srv/blog"
    module.INSTALLED_APPS = ("blog",)
    module.lower = "not a setting"
    loaded = load_settings(module.__name__)
    assert loaded.PROJECT_PATH == loaded["PROJECT_PATH"] == "/srv/blog"
    assert loaded.INSTALLED_APPS == ("blog",)
    assert loaded.PING_DB == 500
    assert "PROJECT_PATH" in loaded
    assert "lower" not in loaded


def test_dictionaries_are_read_by_item_and_by_attribute_at_any_depth():
    found = Settings({"CACHES": {"default": {"OPTIONS": {"DB": 3}}}})
    assert found.CACHES.default.OPTIONS.DB == found["CACHES"]["default"]["OPTIONS"]["DB"] == 3


def test_session_options_that_are_left_out_keep_their_defaults():
    found = Settings({"SESSION": {"expires": 60}})
    assert found.SESSION.expires == 60
    assert found.SESSION.session_name == "__TORNADOSSID"


def test_the_users_module_is_never_changed_and_never_shared(module):
    module.CACHES = {"default": {"OPTIONS": {}}}
    loaded = load_settings(module.__name__)
    loaded.CACHES["default"]["OPTIONS"]["DB"] = 1
    assert module.CACHES == {"default": {"OPTIONS": {}}}
    assert "DB" not in load_settings(module.__name__).CACHES.default.OPTIONS


def test_a_missing_setting_names_the_nearest_and_fits_hasattr():
    found = Settings()
    with pytest.raises(ConfigError, match="got 'CACHE'.*did you mean 'CACHES'"):
        found.CACHE  # noqa: B018
    with pytest.raises(KeyError):
        found["CACHE"]
    assert not hasattr(found, "NOWHERE_AT_ALL")
    assert found.get("NOWHERE_AT_ALL", 1) == 1
    assert issubclass(ConfigError, BaseError)


def test_a_misspelt_setting_warns_with_the_nearest_name_and_an_own_name_does_not():
    with pytest.warns(UnknownSettingWarning, match="'INSTALED_APPS'; did you mean 'INSTALLED_APPS'"):
        Settings({"INSTALED_APPS": ()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Settings({"PROJECT_PATH": "/", "SITE_TITLE": "x"})


def test_a_module_that_does_not_import_is_an_error_and_no_fallback(module):
    with pytest.raises(ConfigError, match=r"got 'no\.such\.settings', which does not import"):
        load_settings("no.such.settings")


def test_the_environment_overrides_any_key(monkeypatch, module):
    module.PING_DB = 10
    monkeypatch.setenv("TORNGAS_PING_DB", "20")
    monkeypatch.setenv("TORNGAS_DEBUG", "false")
    monkeypatch.setenv("TORNGAS_CACHES", '{"default": {"BACKEND": "x"}}')
    monkeypatch.setenv("TORNGAS_SITE_TITLE", "plain text")
    loaded = load_settings(module.__name__)
    assert loaded.PING_DB == 20
    assert loaded.DEBUG is False
    assert loaded.CACHES.default.BACKEND == "x"
    assert loaded.SITE_TITLE == "plain text"


def test_the_face_reads_the_environments_module_at_the_first_access(monkeypatch, module):
    face = LazySettings()
    module.SITE = "first"
    monkeypatch.setenv(SETTINGS_MODULE_ENVIRON, module.__name__)
    assert face.SITE == "first"
    module.SITE = "second"
    assert face.SITE == "first"
    face.reset()
    assert face.SITE == "second"


def test_without_any_source_the_defaults_count(monkeypatch):
    monkeypatch.delenv(SETTINGS_MODULE_ENVIRON, raising=False)
    assert LazySettings().PING_DB == global_settings.PING_DB


def test_override_shows_other_values_inside_its_block_only():
    face = LazySettings()
    face.configure({"SITE": "a"})
    with face.override(SITE="b"):
        assert face.SITE == "b"
    assert face.SITE == "a"


def test_no_secret_is_shipped():
    found = Settings()
    assert "cookie_secret" not in found.TORNADO_CONF
    assert not found.SESSION.secret_key


def test_repr_shows_no_value():
    found = Settings({"TORNADO_CONF": {"cookie_secret": "hidden-value"}})
    assert "hidden-value" not in repr(found)
