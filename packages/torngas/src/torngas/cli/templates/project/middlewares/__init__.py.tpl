"""Middlewares of the project; name them in MIDDLEWARE_CLASSES."""
