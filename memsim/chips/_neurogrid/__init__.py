"""Neurogrid."""
