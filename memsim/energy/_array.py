"""What one read of one array costs: all that the drivers of its word lines deliver."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from device_models import AbstractDevice
from device_models._checks._quantities import SIEMENS
from device_models.iv import Ohmic

from .._array import AbstractWires, IdealWires, ResistiveWires
from .._checks import checked, finite, positive, write

IDEAL = IdealWires()
AT_ONCE = 16  # solutions of the wires side by side: more are no faster, and take memory


@checked(
    g=SIEMENS,
    v=finite("in volts", hint="One for each word line; several inputs? Use jax.vmap."),
    seconds=positive("in seconds", most=1.0),
    wires=write("Such as `ms.ResistiveWires(2.0, 2.0)`."),
)
def of_array(
    g: Float[Array, "rows columns"],
    v: Float[Array, " rows"],
    seconds: float | Float[Array, ""],
    *,
    wires: AbstractWires = IDEAL,
    device: AbstractDevice | None = None,
) -> Float[Array, ""]:
    r"""Joules of one read: $t \sum_i V_i I_i$ with the current $I_i$ that each word line takes from its driver.

    With ideal wires that is $t \sum V_i^2 G_{ij}$, or $t \sum V_i I(G_{ij}, V_i)$ of cells with a nonlinear I-V; with
    `ResistiveWires` what cells and wires dissipate together, from every voltage of the network. It can be
    differentiated.

    **Arguments:**

    - `g`: Conductances of the cells, in siemens.
    - `v`: Of the word lines, in volts.
    - `seconds`: How long they are driven.
    - `wires`: `IdealWires()` or a `ResistiveWires`.
    - `device`: Cells with its I-V; ohmic ones by default.

    **Raises:** `ValueError` for wires whose voltages are not known, such as `AlphaBetaWires`, and for other than one
    voltage a word line.

    >>> import jax.numpy as jnp, memsim as ms
    >>> round(float(ms.energy.of_array(jnp.full((1, 1), 10e-6), jnp.array([0.2]), 100e-9)) * 1e15, 3)  # femtojoules
    40.0
    """
    check_wires(wires)
    iv = Ohmic() if device is None else device.iv
    if jnp.shape(v) != jnp.shape(g)[:1]:
        raise ValueError(
            f"`v` must hold one voltage for each of {g.shape[0]} word lines. Got shape {jnp.shape(v)}. Several inputs? "
            "Use jax.vmap."
        )
    if isinstance(wires, IdealWires):
        volts = jnp.broadcast_to(jnp.expand_dims(v, 1), g.shape)
        return jnp.sum(volts * iv.current(g, volts)) * seconds
    assert isinstance(wires, ResistiveWires)
    found = wires.solve(g, v) if device is None else wires.operating_point(device, g, v)
    return found.power * seconds


def check_wires(wires: Any) -> None:
    """Raises `ValueError` for wires of which only the outputs are known."""
    if not isinstance(wires, IdealWires | ResistiveWires):
        raise ValueError(
            "`wires` must be those whose voltages are known. Got "
            f"{type(wires).__name__}. Use `IdealWires()` or `ResistiveWires(...)`."
        )


def admittance(wires: ResistiveWires, g: Float[Array, "rows columns"]) -> Float[Array, "rows rows"]:
    """Current into each word line per volt on each: what the drivers of ohmic cells deliver is `v @ admittance @ v`."""

    def of_one(v: Array) -> Array:
        return jnp.sum(wires.solve(g, v).cell_currents, axis=1)

    return jax.lax.map(of_one, jnp.eye(g.shape[0], dtype=g.dtype), batch_size=min(AT_ONCE, g.shape[0]))
