"""Databases: `dbalchemy`, the ORM, and `basedb`, light and without models."""
