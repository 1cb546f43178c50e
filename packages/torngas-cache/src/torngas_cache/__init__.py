"""Django's cache API, native async, no stampedes, and fast."""
