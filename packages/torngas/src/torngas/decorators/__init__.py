"""Decorators of handlers' methods."""
