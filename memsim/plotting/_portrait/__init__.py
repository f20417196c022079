"""What one part does, a figure a kind: cells, pulsed devices, memristors, noise, converters, mappings, neurons."""
