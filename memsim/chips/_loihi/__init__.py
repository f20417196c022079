"""Loihi 1 and 2."""
