"""A device whose cells are read after each write, and written again until they are close to their target."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, Key, Num

from .._checks import Checked, check, is_known, plain, positive, whole
from .._checks._quantities import AGES, LARGEST_PLAUSIBLE_CONDUCTANCE, MICRO_SIEMENS
from .._device import AbstractDevice, ages, writes
from .._draws import normal
from ._wrapper import AbstractWrapper


class VerifiedCells(Checked):
    """Cells as their last write left them, the writes each took, and which were read within the window."""

    cells: Any
    pulses: Int[Array, "*cells"]
    accepted: Bool[Array, "*cells"]

    @property
    def mean_pulses(self) -> Float[Array, ""]:
        """Writes a cell took, on average."""
        return jnp.mean(self.pulses)

    @property
    def yield_fraction(self) -> Float[Array, ""]:
        """Fraction of the cells that were accepted."""
        return jnp.mean(self.accepted)


def pulses_of(cells: Any) -> Num[Array, "*cells"] | int | float:
    """Writes that each of these cells took, whatever else is wrapped around them; 1 where none was verified.

    Cells that make one weight together, as of a `CellPair`, count with the mean of those that were verified.
    """
    parts = jax.tree.leaves(cells, is_leaf=lambda part: isinstance(part, VerifiedCells))
    verified = [part for part in parts if isinstance(part, VerifiedCells)]
    found = [part.pulses for part in verified if part.pulses is not None]  # derivatives of cells have none
    return 1 if not found else found[0] if len(found) == 1 else sum(found) / len(found)


class WriteVerify(AbstractWrapper):
    r"""`device` written pulse by pulse until a read finds each cell within `target` $\pm$ `window`.

    A pulse is a full write with draws of its own, as in the iterative programming of phase-change memory: it does not
    start from what the one before left. For a write that is accepted with probability $p$, the pulses of a cell are
    geometric and cut at $n$ = `max_pulses`, $(1 - (1 - p)^n) / p$ on average, and the yield is $1 - (1 - p)^n$.
    Recalled from published chips: 5 to 20 pulses, a yield of about 99 % (NeuRRAM). A cell that is never accepted stays
    as its last write left it.

    The verifying read takes place `wait` seconds after its pulse with the read noise of that age, so a good write may
    be repeated and a bad one kept; later reads draw their own noise. What happens to a cell after that read is not
    verified: a cell that relaxes does so whatever the window. Waiting lets the loop see what has happened until then.
    Ages count from the last pulse of each cell (assumed: a loop of many rounds leaves the others older). The cost is
    that of `max_pulses` writes of every cell, whatever the yield. The gradient is that of the write each cell ended
    with; it does not see that another target could have been accepted earlier or later.

    `without` leaves the draws of every pulse as they are. Without write noise, or without read noise, a cell may end
    with another pulse, and so with another drift exponent.

    **Arguments:**

    - `device`: The cell that is written. Levels and stuck cells go outside: `StuckCells(WriteVerify(...))`.
    - `window`: Largest accepted distance from the target, in siemens, positive and less than `g_max - g_min`.
    - `max_pulses`: Most writes a cell gets, at least 1.
    - `verify_noise`: Whether the verifying read has the read noise of `device`.
    - `wait`: Age at which a pulse is verified, in seconds.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> verified = dm.WriteVerify(dm.pcm_joshi2020(), window=0.5e-6, max_pulses=20, verify_noise=False)
    >>> cells = verified.program(jnp.full(1000, 20e-6), key=jr.key(0))
    >>> off = verified.conductance(cells, jnp.array(0.0)) - 20e-6
    >>> print(f"{(jnp.abs(off) <= 0.5e-6).mean():.2f} within the window")
    1.00 within the window
    """

    device: AbstractDevice
    window: float | Float[Array, ""]
    max_pulses: int = eqx.field(static=True, converter=plain)
    verify_noise: bool = eqx.field(static=True, default=True)
    wait: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(
            self,
            window=positive("in siemens", most=LARGEST_PLAUSIBLE_CONDUCTANCE, hint=MICRO_SIEMENS),
            max_pulses=whole(1, hint="For one unverified write leave `WriteVerify` out."),
            wait=AGES,
        )
        # Each write would find other cells stuck, and a level is not the target that the read is compared with.
        if outside := [effect for effect in ("levels", "stuck cells") if effect in self.device.effects]:
            raise ValueError(
                f"`device` must have no levels and no stuck cells. Got one with {' and '.join(outside)}. Wrap the "
                "other way round: `Levels(WriteVerify(device, ...), n)`, `StuckCells(WriteVerify(device, ...), ...)`."
            )
        known = is_known(self.window, self.g_min, self.g_max)
        if known and float(self.window) >= float(self.g_max) - float(self.g_min):
            raise ValueError(
                "`window` must satisfy 0 < window < g_max - g_min, in siemens. "
                f"Got window={self.window} for g_min={self.g_min}, g_max={self.g_max}. {MICRO_SIEMENS}"
            )

    @writes
    @eqx.filter_jit  # a scan outside a compiled function compiles at every call
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> VerifiedCells:
        def pulse(before: VerifiedCells, i: Int[Array, ""]) -> tuple[VerifiedCells, None]:
            after = self._write(target, before.pulses + 1, jr.fold_in(key, i))
            return jax.tree.map(lambda old, new: jnp.where(before.accepted, old, new), before, after), None

        first = self._write(target, jnp.ones(target.shape, jnp.int32), jr.fold_in(key, 0))
        return jax.lax.scan(pulse, first, jnp.arange(1, self.max_pulses))[0]

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> VerifiedCells:
        cells = self.device.holding(g, key=key)
        return VerifiedCells(cells, jnp.ones(g.shape, jnp.int32), jnp.ones(g.shape, bool))

    @ages
    def conductance(self, cells: VerifiedCells, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self.device.conductance(cells.cells, t)

    @ages
    def read_noise(self, cells: VerifiedCells, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        return self.device.read_noise(cells.cells, t)

    def _write(
        self, target: Float[Array, "*cells"], pulses: Int[Array, "*cells"], key: Key[Array, ""]
    ) -> VerifiedCells:
        """Writes every cell, which makes it `pulses` writes, and verifies it."""
        write_key, read_key = jr.split(key)
        cells, now = self.device.program(target, key=write_key), jnp.asarray(self.wait, target.dtype)
        read = self.device.conductance(cells, now)
        std = self.device.read_noise(cells, now) if self.verify_noise else None
        if std is not None:
            read = read + std * normal(read_key, read.shape, read.dtype)
        return VerifiedCells(cells, pulses, jnp.abs(read - target) <= self.window)
