"""Parts of handlers."""
