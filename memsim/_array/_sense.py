"""The amplifier that holds a bit line at ground and hands its current on."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from device_models._draws import normal

from .._checks import Checked, at_least, check, is_zero
from ._converters._codes import largest_code
from ._tiles import TileNumber, cuts, spread_rows

AMPLIFIER = 3  # folded into the key of a tile's noise, so that other draws leave it as it is


class SenseAmplifier(Checked):
    r"""A virtual ground that is neither quite at ground nor without resistance, in front of each ADC.

    The input of the amplifier lies at $V_\mathrm{os} + R I'$, so that a bit line with the cells $G_i$ passes
    $I' = (I - V_\mathrm{os} \sum_i G_i) / (1 + R \sum_i G_i)$ where an ideal one would pass $I = \sum_i V_i G_i$:
    exactly, for ohmic cells and wires without resistance. What the bit lines of a weight say together is then squeezed,
    $y / (1 + s\,|y| / y_\mathrm{full\ scale})$, before the ADC.

    **Arguments:**

    - `series_resistance`: $R$, in ohms.
    - `offset`: Standard deviation of $V_\mathrm{os}$ over bit lines, in volts; drawn once for each chip.
    - `saturation`: $s$; at full scale the current is reduced to $1 / (1 + s)$.
    - `noise`: Standard deviation of the current of one read, in units of one fully-on cell at full input; white.

    Reference: the S shape is that of Rasch2023's software, aihwkit.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> reads = ms.Reads(sense=ms.SenseAmplifier(series_resistance=1e3))
    >>> design = ms.Crossbar(dm.Ideal(g_max=25e-6), reads=reads, compensation=None)
    >>> matrix = design.deploy(jnp.ones((1, 10)), 0.0, key=jr.key(0))
    >>> print(f"{matrix(jnp.ones(10)).item():.2f} = 10 / (1 + 10 * 25e-6 * 1e3)")
    8.00 = 10 / (1 + 10 * 25e-6 * 1e3)
    """

    series_resistance: float = 0.0
    offset: float = 0.0
    saturation: float = 0.0
    noise: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(
            self,
            series_resistance=at_least(0.0, "in ohms"),
            offset=at_least(0.0, "in volts", most=1.0, hint="Millivolts? Multiply by 1e-3."),
            saturation=at_least(0.0),
            noise=at_least(0.0, "in units of one fully-on cell"),
        )

    def check_alone(self) -> None:
        """Raises `ValueError` for what can only be in front of an ADC."""
        if not (is_zero(self.saturation) and is_zero(self.noise)):
            raise ValueError(
                "`sense` amplifiers with `saturation` or `noise` must be followed by an ADC. Got adc=None. Without "
                "rounding that is `Crossbar(..., adc=ADC(None, full_scale))`."
            )

    @property
    def holds_ground(self) -> bool:
        """Whether bit lines end at ground exactly."""
        return is_zero(self.series_resistance) and is_zero(self.offset)

    def fabricate(
        self, planes: int, row_tiles: int, lines: int, *, key: Key[Array, ""]
    ) -> Float[Array, "planes row_tiles lines"]:
        """The voltage offset of every amplifier of one chip."""
        return self.offset * normal(key, (planes, row_tiles, lines))

    def behind(
        self,
        g: Float[Array, "planes rows lines"],
        std: Float[Array, "planes rows lines"] | None,
        volts: Float[Array, "planes row_tiles lines"],
        rows: int,
    ) -> "Behind":
        """What an ideal amplifier would have to see to pass the same current; tiles have `rows` word lines."""
        whole = jnp.stack([jnp.sum(g[:, cut], axis=1) for cut in cuts(g.shape[1], rows)], axis=1)
        passed = 1 / (1 + self.series_resistance * whole)
        on_cells = jax.vmap(lambda plane: spread_rows(plane, g.shape[1], rows))(passed)
        offset = -volts.astype(g.dtype) * whole * passed
        return Behind(g * on_cells, None if std is None else std * on_cells, offset)


class Behind(NamedTuple):
    """Conductances and their read noise, in siemens, and the currents without any input, in amperes."""

    g: Float[Array, "planes rows lines"]
    std: Float[Array, "planes rows lines"] | None
    offset: Float[Array, "planes row_tiles lines"]


class Amplifiers(eqx.Module):
    """What the sense amplifiers of a chip add to its currents at one moment.

    **Arguments:**

    - `offset`: ADC codes without any input, one row for each row tile (one row where tiles collapse), or `None`.
    - `noise`: Its standard deviation in ADC codes, for each column, or `None`.
    - `saturation`: As of `SenseAmplifier`, or `None`.
    """

    offset: Float[Array, "row_tiles columns"] | None = None
    noise: Float[Array, " columns"] | None = None
    saturation: float | Float[Array, ""] | None = None

    def on(
        self,
        current: Float[Array, "n columns"],
        tile: TileNumber,
        bits: int | None,
        *,
        key: Key[Array, ""] | None,
    ) -> Float[Array, "n columns"]:
        """The `current` of a row tile behind them, before an ADC of so many `bits`; `key` is that of the tile."""
        if self.noise is not None and key is not None:
            current = current + normal(jr.fold_in(key, AMPLIFIER), current.shape, current.dtype) * self.noise[None]
        if self.offset is not None:
            current = current + self.offset[tile][None]
        if self.saturation is not None:
            squeeze = self.saturation / largest_code(bits)
            current = current / (1 + squeeze * jnp.abs(current))
        return current

    def ramped(self, strength: Float[Array, ""]) -> "Amplifiers":
        """With a share of all of it."""
        return jax.tree.map(lambda part: part * strength, self)
