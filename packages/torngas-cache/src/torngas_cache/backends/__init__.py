"""Where entries are kept; one module per kind of store."""
