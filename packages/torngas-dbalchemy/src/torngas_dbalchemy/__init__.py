"""SQLAlchemy 2 with a primary and replicas, and the light basedb."""
