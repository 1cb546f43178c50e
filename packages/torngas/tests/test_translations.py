"""TRANSLATIONS: CSV files and gettext catalogs; a wrong folder."""

from __future__ import annotations

import struct

import pytest
from tornado import locale

from torngas.exception import ConfigError
from torngas.settings_manager import Settings
from torngas.wiring.translations import load_translations


@pytest.fixture(autouse=True)
def _as_before():
    before = locale._default_locale, locale._translations, locale._supported_locales, locale._use_gettext
    yield
    locale._default_locale, locale._translations, locale._supported_locales, locale._use_gettext = before


def conf(folder, **options):
    return Settings(
        {
            "TRANSLATIONS": True,
            "TRANSLATIONS_CONF": {"translations_dir": str(folder), "locale_default": "en_US", **options},
        }
    )


def catalog(messages: dict[str, str]) -> bytes:
    """A compiled gettext catalog (the format of GNU .mo files)."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **messages}.items())
    texts = [[text.encode() for text in column] for column in zip(*pairs, strict=True)]
    offset = 28 + 16 * len(pairs)
    tables, data = [], b""
    for column in texts:
        table = b""
        for text in column:
            table += struct.pack("<II", len(text), offset + len(data))
            data += text + b"\0"
        tables.append(table)
    head = struct.pack("<IIIIIII", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + tables[0] + tables[1] + data


def test_csv_files_are_loaded(tmp_path):
    (tmp_path / "zh_CN.csv").write_text('"hello","你好"\n')
    load_translations(conf(tmp_path))
    assert locale.get("zh_CN").translate("hello") == "你好"
    assert locale.get("xx").code == "en_US"


@pytest.mark.parametrize("domain", ["messages", "site"])
def test_gettext_catalogs_are_loaded_where_there_are_no_csv_files(tmp_path, domain):
    folder = tmp_path / "de_DE" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / f"{domain}.mo").write_bytes(catalog({"hello": "hallo"}))
    load_translations(conf(tmp_path, **({} if domain == "messages" else {"domain": domain})))
    assert locale.get("de_DE").translate("hello") == "hallo"


def test_switched_off_nothing_is_read(tmp_path):
    load_translations(Settings({"TRANSLATIONS_CONF": {"translations_dir": str(tmp_path / "nowhere")}}))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"TRANSLATIONS_CONF\['translations_dir'\]: got .*nowhere"):
        load_translations(conf(tmp_path / "nowhere"))
