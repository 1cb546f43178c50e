"""Serves the blog: python runserver.py --port=8000"""

import os
import sys
from pathlib import Path

from torngas.webserver import Server

HERE = Path(__file__).resolve().parent


def main() -> None:
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("TORNGAS_APP_SETTINGS", "settings.settings")
    server = Server()
    server.load_all()
    import seed  # the models need the databases that load_all made known

    seed.fill_if_empty()
    server.start()


if __name__ == "__main__":
    main()
