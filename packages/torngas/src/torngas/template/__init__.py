"""Template engines behind Tornado's `render`: Tornado's own, mako and jinja2."""
