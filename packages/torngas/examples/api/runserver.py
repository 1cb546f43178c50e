"""Serves the API: python runserver.py --port=8000, then look at http://127.0.0.1:8000/docs"""

import os
import sys
from pathlib import Path

from torngas.webserver import run

HERE = Path(__file__).resolve().parent


def main() -> None:
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("TORNGAS_APP_SETTINGS", "settings.settings")
    run()


if __name__ == "__main__":
    main()
