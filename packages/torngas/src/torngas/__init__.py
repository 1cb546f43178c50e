"""Django's habits on Tornado: settings, apps, urls, middlewares, sessions, cache, signals, ORM, templates."""
