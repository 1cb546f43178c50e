"""The caches' backends, under their documented paths."""
