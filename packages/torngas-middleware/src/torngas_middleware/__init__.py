"""Middlewares for Tornado: seven hooks, exact, and free when unused."""
