"""DYNAP-SE2."""
