"""Handling per route for Tornado, declared in one place."""
