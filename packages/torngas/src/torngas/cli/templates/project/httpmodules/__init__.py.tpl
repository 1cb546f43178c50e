"""HTTP modules of the project; name them in COMMON_MODULES or ROUTE_MODULES."""
