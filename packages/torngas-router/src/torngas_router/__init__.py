"""Django-like routes for Tornado whose cost does not grow with the table."""
