"""Speck."""
