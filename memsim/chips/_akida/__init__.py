"""Akida."""
