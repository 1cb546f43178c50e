"""Serves the hello-world application: python runserver.py --port=8000 --settings=settings.settings"""

import os

from torngas.webserver import run

if __name__ == "__main__":
    os.environ.setdefault("TORNGAS_APP_SETTINGS", "settings.settings")
    run()
