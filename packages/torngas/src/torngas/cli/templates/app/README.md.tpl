# $name

An app of this project. `urls.py` says which handler answers which address, `handlers/` holds the handlers,
`templates/$name/` their pages. It is served because `INSTALLED_APPS` names it.

    python -m pytest $name
