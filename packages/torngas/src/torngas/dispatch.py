"""Signals of your own, under their documented path."""

from torngas_signal import Signal, receiver

__all__ = ["Signal", "receiver"]
