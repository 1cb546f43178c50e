"""The middlewares, under their documented paths."""
