"""How often the cells of an array were written."""

import jax
import jax.numpy as jnp

import device_models as dm
import memsim as ms


def writes(chip: ms.Chip) -> jax.Array:
    """How often a cell was written, on average."""
    if chip.writes is not None:
        return jnp.mean(chip.writes, dtype=float)
    return chip.cells.mean_pulses if isinstance(chip.crossbar.device, dm.WriteVerify) else jnp.ones(())
