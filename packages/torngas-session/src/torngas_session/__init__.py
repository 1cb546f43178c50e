"""Server-side sessions for Tornado that lose nothing and cannot be stolen by habit."""
