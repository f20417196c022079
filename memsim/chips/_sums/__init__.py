"""Whole numbers: synapses, their sums to the last bit, and what is counted."""
