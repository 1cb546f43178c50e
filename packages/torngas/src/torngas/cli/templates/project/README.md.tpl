# $name

    pip install -r requirements.txt
    python runserver.py            # http://127.0.0.1:8000/
    python -m pytest

| place | what it is |
|---|---|
| `home/` | an app: `urls.py` says which handler answers which address, `handlers/` holds them |
| `settings/settings.py`, `settings_online.py` | settings for development and for production |
| `templates/`, `statics/` | pages, and files that are served as they are (`/static/…`) |
| `middlewares/`, `httpmodules/` | code that runs around handlers: all of them, or those of chosen routes |
| `tests/` | tests; `torngas_client` speaks to the application |
| `logs/` | log files |

    torngas startapp blog          # another app
    torngas routes                 # what is served, and by whom
    torngas check --deploy         # before it goes out
    torngas shell                  # settings, caches and models at hand
