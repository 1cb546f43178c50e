"""Rotating log files that many processes share without losing a line."""
