"""TRANSLATIONS and TRANSLATIONS_CONF -> Tornado's locales."""

from __future__ import annotations

from pathlib import Path

from tornado import locale

from torngas.exception import ConfigError
from torngas.settings_manager import Settings

__all__ = ["load_translations"]


def load_translations(settings: Settings) -> None:
    """Loads the translations: CSV files (`zh_CN.csv`), else gettext catalogs (`zh_CN/LC_MESSAGES/DOMAIN.mo`).

    Tornado keeps locales for the whole process: applications side by side share them.

    Raises:
        ConfigError: the folder is missing.
    """
    if not settings.TRANSLATIONS:
        return
    conf = settings.TRANSLATIONS_CONF
    folder = Path(conf.translations_dir)
    if not folder.is_dir():
        raise ConfigError(
            f"TRANSLATIONS_CONF['translations_dir']: got {str(folder)!r}, which is no folder; expected one with files "
            "like zh_CN.csv, or zh_CN/LC_MESSAGES/messages.mo"
        )
    if any(folder.glob("*.csv")):
        locale.load_translations(str(folder))
    else:
        locale.load_gettext_translations(str(folder), conf.get("domain", "messages"))
    locale.set_default_locale(conf.locale_default)
