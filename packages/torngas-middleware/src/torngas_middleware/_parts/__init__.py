"""What goes in front of a handler class: one part per phase, each only where a chain needs it.

A part overrides Tornado's public methods and nothing else; `wrapping` puts parts and handler class together.
"""
