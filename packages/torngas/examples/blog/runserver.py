"""Serves the blog: python runserver.py --port=8000"""

import os
import sys
from pathlib import Path

from torngas.webserver import run

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("TORNGAS_APP_SETTINGS", "settings.settings")
    run()
