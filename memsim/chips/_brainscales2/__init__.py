"""BrainScaleS-2: products in one go, and spiking neurons."""
