"""Signals for any Python program: Django's and blinker's habits in one fast, typed library."""
