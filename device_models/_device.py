"""What every memory cell promises: to be programmed, and to have a conductance at every age."""

import dataclasses
import functools
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar, cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ._checks import Must, check, checked, for_jax, is_known, judge, that
from ._checks._names import nearest
from ._checks._quantities import AGES, MICRO_SIEMENS, SIEMENS, Number
from ._default import default
from ._span import Span
from .ageing._paths import Memory, Walk, path_of
from .iv._iv import AbstractIV, Ohmic
from .noise._spectrum import OneOverF

ROUNDING = 5e-3  # relative: that of a target in 16 bits, by which it may lie outside the range
EFFECTS = ("write noise", "drift", "read noise", "levels", "stuck cells", "I-V")


class AbstractDevice(eqx.Module):
    """One kind of memory cell.

    `program` writes an array of independent cells and returns their state, a pytree that holds everything chance
    decided: the state never changes afterwards, so ageing it twice gives one history. Times are seconds since the end
    of programming, conductances siemens.

    A device of your own has the fields `g_min` and `g_max` and writes `program` and `conductance`. Everything else has
    a default; whatever of it a device has, as a field, a property or a method, it says by the same name.

    Decorate `program` with `writes`, `conductance` and `read_noise` with `ages`, and known targets and times are judged
    before they are used.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> class Leaky(dm.AbstractDevice):
    ...     g_min: float = 0.0
    ...     g_max: float = 25e-6
    ...     def program(self, target, *, key):
    ...         return target
    ...     def conductance(self, cells, t):
    ...         return cells * (1.0 + t) ** -0.05
    >>> device = Leaky()
    >>> cells = device.program(jnp.array(20e-6), key=jr.key(0))
    >>> print(f"{1e6 * device.conductance(cells, jnp.array(99.0)):.1f} uS")  # 20 / 100^0.05
    15.9 uS
    """

    g_min: eqx.AbstractVar[float]
    g_max: eqx.AbstractVar[float]

    def __check_init__(self):
        ends = ("g_min", "g_max")  # fields of some devices, and of others properties
        check(self, **{field.name: SIEMENS for field in dataclasses.fields(self) if field.name in ends})
        for name in ends:
            judge(name, getattr(self, name), float, SIEMENS)
        _check_range(self.g_min, self.g_max)

    @default
    def iv(self) -> AbstractIV:
        """The current-voltage relation of a cell."""
        return Ohmic()

    @default
    def sources(self) -> tuple[str, ...]:
        """Where each number of a published set was read."""
        return ()

    @default
    def span(self) -> Span:
        """Where the numbers of this device were measured."""
        return Span()

    @default
    def levels(self) -> int | None:
        """How many equally spaced levels from `g_min` to `g_max` its cells have; `None` where they are continuous."""
        return None

    @default
    def assumes(self) -> tuple[str, ...]:
        """What its history takes for granted about single cells where only populations were measured."""
        return ()

    def remembering(self, how: Memory) -> "AbstractDevice":
        """The same device whose cells "keep" their rank in the population for life, have another one at each age
        ("redraw"), or "walk" in log time; or on a path of your own, such as a `Walk`.

        What is published of a population at each age holds in all of them. A device without such a choice is itself.
        """
        path_of(how, Walk(1.0))
        return self

    @abstractmethod
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        """Writes each cell once towards its `target`, in siemens."""

    @abstractmethod
    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        """Mean conductance at `t` seconds after programming, in siemens."""

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        """State of cells that were measured to conduct `g` siemens at time 0; chance decides what happens later only.

        Raises `ValueError` for a device whose cells a measurement does not tell.
        """
        raise ValueError(
            "A device must say how cells are that were measured. Got "
            f"{type(self).__name__}, which does not; write its method `holding(g, *, key)`."
        )

    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        """Standard deviation of one read at `t`, in siemens; `None` for a cell whose reads are exact."""
        return None

    @default
    def read_spectrum(self) -> OneOverF | None:
        """At which frequencies its read noise is; `None` where nobody measured it, and every read draws anew."""
        return None

    @property
    def effects(self) -> tuple[str, ...]:
        """Those of `EFFECTS` that the device shows; of a device that does not say, no more than its I-V is known."""
        return () if isinstance(self.iv, Ohmic) else ("I-V",)

    def without(self, effect: str) -> "AbstractDevice":
        """The same device without one of `EFFECTS`; what chance decides of the others stays as it is for each key."""
        check_effect(effect)
        if effect not in said_effects(self):
            return self
        if effect == "I-V" and "iv" in {field.name for field in dataclasses.fields(self)}:
            return dataclasses.replace(self, **{"iv": Ohmic()})
        raise ValueError(
            f"A device that shows effects must say what it is without one. Got {type(self).__name__}, which shows "
            f"{effect!r}; write its method `without(effect)`."
        )

    @checked()
    def current(self, g: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Current through cells of conductance `g` at voltage `v`, in amperes."""
        return self.iv.current(g, v)


def check_effect(effect: str) -> None:
    """Raises `ValueError` for what is not one of `EFFECTS`, with the nearest of them."""
    judge("effect", effect, str)
    if effect not in EFFECTS:
        near = nearest(effect, EFFECTS)
        raise ValueError(f"An effect must be a known one. Got {effect!r}. Did you mean {near}?")


def said_effects(device: AbstractDevice) -> tuple[str, ...]:
    """The effects of `device`; raises `ValueError` where it, or a device that it is made of, does not say them."""
    if type(device).effects is AbstractDevice.effects:
        raise ValueError(
            f"A device must say which effects it shows before they can be told apart. Got {type(device).__name__}; "
            f"write its property `effects`, some of {EFFECTS} or (), and its method `without(effect)`."
        )
    for part in made_of(device).values():
        said_effects(part)
    return device.effects


def made_of(device: AbstractDevice) -> dict[str, AbstractDevice]:
    """The devices among the fields of `device`, by name."""
    values = {field.name: getattr(device, field.name) for field in dataclasses.fields(device)}
    return {name: value for name, value in values.items() if isinstance(value, AbstractDevice)}


def in_order(*effects: str) -> tuple[str, ...]:
    """Those of `EFFECTS` that are named, each once."""
    return tuple(effect for effect in EFFECTS if effect in effects)


TARGETS, ONE_KEY = Float[Array, "*cells"], Key[Array, ""]
Method = TypeVar("Method", bound=Callable[..., Any])


def ages(read: Method) -> Method:
    """Decorates a `conductance` or `read_noise`: `ValueError` for known times that no cell has.

    A time has the dtype of the cells, which may be narrower than that of a float under `jax.enable_x64`.

    Raises `TypeError` where the argument `t` is missing or has no annotation, which says what it may be.

    >>> import jax, jax.numpy as jnp, memsim as ms, device_models as dm
    >>> class Mine(dm.AbstractDevice):
    ...     g_min: float = 0.0
    ...     g_max: float = 25e-6
    ...
    ...     def program(self, target, *, key):
    ...         return target
    ...
    ...     @ms.extend.ages
    ...     def conductance(self, cells, t: jax.Array | float):
    ...         return cells * (1.0 + t) ** -0.05
    >>> try:
    ...     Mine().conductance(jnp.ones(2) * 1e-5, -1.0)
    ... except ValueError as error:
    ...     print("`t`" in str(error))
    True
    """

    if "t" not in read.__annotations__:
        raise TypeError(
            f"A method that `ages` decorates must say what its `t` may be. Got {read.__qualname__} without an "
            "annotation of `t`. Write `t: jax.Array | float`."
        )

    @functools.wraps(read)
    def call(self: AbstractDevice, cells: Any, t: Any) -> Any:
        return read(self, cells, in_dtype_of(cells, t))

    return cast(Method, checked(t=AGES)(call))


def in_dtype_of(cells: Any, t: Any) -> Any:
    """A time of more bits than `cells` have, in as many as these; anything else as it is."""
    floats = [leaf.dtype for leaf in jax.tree.leaves(cells) if eqx.is_inexact_array(leaf)]
    if not floats or not eqx.is_inexact_array(t):
        return t
    most = max(floats, key=lambda dtype: dtype.itemsize)
    return t.astype(most) if most.itemsize < t.dtype.itemsize else t


def writes(program: Method) -> Method:
    """Decorates a `program`: `ValueError` for known targets that are not within the range of the device.

    Targets of 16 bits become float32: microsiemens in siemens are below what float16 holds.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms, device_models as dm
    >>> class Mine(dm.AbstractDevice):
    ...     g_min: float = 0.0
    ...     g_max: float = 25e-6
    ...
    ...     @ms.extend.writes
    ...     def program(self, target, *, key):
    ...         return target
    ...
    ...     def conductance(self, cells, t):
    ...         return cells
    >>> try:
    ...     Mine().program(jnp.ones(2) * 1e-3, key=jr.key(0))
    ... except ValueError as error:
    ...     print("within the range of the device, 0 to 2.5e-05, in siemens" in str(error))
    True
    """

    @functools.wraps(program)
    def call(self: AbstractDevice, target: Any, *, key: Any) -> Any:
        judge("target", target, TARGETS, _within_range(self))
        judge("key", key, ONE_KEY)
        target = for_jax(target, TARGETS)
        return program(self, target.astype(jnp.float32) if target.dtype.itemsize < 4 else target, key=key)

    return cast(Method, call)


def _within_range(device: AbstractDevice) -> Must:
    if not is_known(device.g_min, device.g_max):
        return SIEMENS
    low, high = float(device.g_min), float(device.g_max)
    return that(
        f"within the range of the device, {low:g} to {high:g}, in siemens",
        lambda x: (x >= low * (1 - ROUNDING)) & (x <= high * (1 + ROUNDING)),
        hint=MICRO_SIEMENS,
    )


def _check_range(g_min: Number, g_max: Number) -> None:
    if is_known(g_min, g_max) and not 0 <= float(g_min) < float(g_max):
        raise ValueError(
            "`g_min` and `g_max` must satisfy 0 <= g_min < g_max, in siemens. "
            f"Got g_min={g_min}, g_max={g_max}. Swap or correct them."
        )
