"""Serves $name: python runserver.py --port=8000 (--help lists the options)."""

import os

from torngas.webserver import run

os.environ.setdefault("TORNGAS_APP_SETTINGS", "settings.settings")

if __name__ == "__main__":
    run()
