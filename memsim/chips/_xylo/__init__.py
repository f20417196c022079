"""Xylo."""
