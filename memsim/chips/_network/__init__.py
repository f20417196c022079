"""A network as chips see it, and what of it does not fit."""
