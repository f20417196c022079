"""Published pulsed devices, made of the numbers in `_numbers.py`."""

from typing import Any

from .._checks import checked
from .._sourced import Sourced, describe
from . import _numbers as numbers
from ._curved import ExpStep
from ._linear import ConstantStep, LinearStep, SoftBoundsReference
from ._noise import AdditiveNoise, ComplexNoise, MultiplicativeNoise
from ._parts import Bounds, Corrupt, Leak, LogNormalSpread, NormalSpread, Reset, Steps, Upkeep


def reram_es_gong2018() -> ExpStep:
    """Bilayer ReRAM with exponential steps, noisy: a step varies by five times its size from pulse to pulse.

    Reference: Gong2018.

    >>> import device_models as dm
    >>> dm.pulsed.reram_es_gong2018().steps.noise.std  # of the step, from pulse to pulse
    5.0
    """
    n = _numbers(numbers.RERAM_ES_GONG_2018)
    return ExpStep(
        _steps(n, MultiplicativeNoise(n["dw_min_std"])),
        _bounds(n),
        **_exponential(n),
        sources=_of(numbers.RERAM_ES_GONG_2018),
    )


def reram_sb_gong2018() -> SoftBoundsReference:
    """The same ReRAM, loosely fitted by soft bounds.

    Reference: Gong2018.

    >>> import device_models as dm
    >>> device = dm.pulsed.reram_sb_gong2018()
    >>> print(f"{(device.w_max - device.w_min) / device.dw_min:.0f} steps from end to end")
    1000 steps from end to end
    """
    n = _numbers(numbers.RERAM_SB_GONG_2018)
    return SoftBoundsReference(
        _steps(n, AdditiveNoise(n["dw_min_std"])), _bounds(n), sources=_of(numbers.RERAM_SB_GONG_2018)
    )


def capacitor_li2018() -> LinearStep:
    """Capacitor with CMOS current sources: nearly linear, and leaking over a million mini-batches.

    Reference: Li2018.

    >>> import device_models as dm
    >>> device = dm.pulsed.capacitor_li2018()
    >>> device.steps.dw_min, device.upkeep.leak.lifetime
    (0.005, 1000000.0)
    """
    n = _numbers(numbers.CAPACITOR_LI_2018)
    leak = Leak(n["lifetime"], n["lifetime_dtod"])
    noise = AdditiveNoise(n["dw_min_std"])
    return LinearStep(
        _steps(n, noise), _bounds(n), **_slopes(n), upkeep=Upkeep(leak), sources=_of(numbers.CAPACITOR_LI_2018)
    )


def ecram_tang2018() -> LinearStep:
    """Lithium-ion ECRAM.

    Reference: Tang2018.

    >>> import device_models as dm
    >>> device = dm.pulsed.ecram_tang2018()
    >>> print(f"{(device.w_max - device.w_min) / device.dw_min:.0f} steps from end to end")
    1000 steps from end to end
    """
    n = _numbers(numbers.ECRAM_TANG_2018)
    noise = MultiplicativeNoise(n["dw_min_std"])
    return LinearStep(_steps(n, noise), _bounds(n), **_slopes(n), sources=_of(numbers.ECRAM_TANG_2018))


def ecram_mo_kim2019() -> LinearStep:
    """Metal-oxide ECRAM.

    Reference: Kim2019.

    >>> import device_models as dm
    >>> device = dm.pulsed.ecram_mo_kim2019()
    >>> print(f"{(device.w_max - device.w_min) / device.dw_min:.0f} steps from end to end")
    7089 steps from end to end
    """
    n = _numbers(numbers.ECRAM_MO_KIM_2019)
    noise = MultiplicativeNoise(n["dw_min_std"])
    return LinearStep(_steps(n, noise), _bounds(n), **_slopes(n), sources=_of(numbers.ECRAM_MO_KIM_2019))


def idealized() -> ConstantStep:
    """A device of 10 000 constant, symmetric steps, with spread: a bar for real ones, not a model of one.

    >>> import device_models as dm
    >>> device = dm.pulsed.idealized()
    >>> print(f"{(device.w_max - device.w_min) / device.dw_min:.0f} steps from end to end")
    10000 steps from end to end
    """
    n = _numbers(numbers.IDEALIZED)
    return ConstantStep(_steps(n, MultiplicativeNoise(n["dw_min_std"])), _bounds(n), sources=_of(numbers.IDEALIZED))


def gokmen2016() -> ConstantStep:
    """The device that the proposal of resistive processing units asks for: about 1200 constant steps.

    Reference: Gokmen2016.

    >>> import device_models as dm
    >>> device = dm.pulsed.gokmen2016()
    >>> print(f"{(device.w_max - device.w_min) / device.dw_min:.0f} steps from end to end")
    1250 steps from end to end
    """
    n = _numbers(numbers.GOKMEN_2016)
    return ConstantStep(_steps(n, MultiplicativeNoise(n["dw_min_std"])), _bounds(n), sources=_of(numbers.GOKMEN_2016))


def pcm_onesided_nandakumar2020() -> ExpStep:
    """One phase-change device that crystallises pulse by pulse, from 0 to 2; only pulses up are physical.

    A signed weight takes two of them: `OneSidedPair`, which is refreshed before a device saturates.

    Reference: Nandakumar2020.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pulsed.pcm_onesided_nandakumar2020()
    >>> cells = device.fabricate((1000,), key=jr.key(0))
    >>> print([f"{device.step_up(cells, jnp.full(1000, w)).mean():.3f}" for w in (0.0, 1.0)])  # it saturates
    ['0.283', '0.032']
    """
    n = _numbers(numbers.PCM_ONESIDED_NANDAKUMAR_2020)
    noise = ComplexNoise(n["dw_min_std"], n["noise_added"], n["noise_slope"])
    reset = Reset(n["reset"], dtod=n["reset_dtod"])
    return ExpStep(
        _steps(n, noise),
        _bounds(n),
        **_exponential(n),
        upkeep=Upkeep(reset=reset),
        sources=_of(numbers.PCM_ONESIDED_NANDAKUMAR_2020),
    )


@checked()
def reram_array_om_gong2022(*, corrupt: bool = False) -> SoftBoundsReference:
    """Array of the optimised ReRAM material: about 20 steps, widely spread; with `corrupt`, 13 % do not move.

    Reference: Gong2022.

    >>> import device_models as dm
    >>> device = dm.pulsed.reram_array_om_gong2022()
    >>> print(f"{(device.w_max - device.w_min) / device.dw_min:.0f} steps from end to end")
    21 steps from end to end
    """
    return _reram_array(numbers.RERAM_ARRAY_OM_GONG_2022, corrupt)


@checked()
def reram_array_hfo2_gong2022(*, corrupt: bool = False) -> SoftBoundsReference:
    """Array of the baseline HfO2 ReRAM: about 4 steps, widely spread; with `corrupt`, 10 % do not move.

    Reference: Gong2022.

    >>> import device_models as dm
    >>> device = dm.pulsed.reram_array_hfo2_gong2022()
    >>> print(f"{(device.w_max - device.w_min) / device.dw_min:.0f} steps from end to end")
    4 steps from end to end
    """
    return _reram_array(numbers.RERAM_ARRAY_HFO2_GONG_2022, corrupt)


def _reram_array(table: dict[str, Sourced], corrupt: bool) -> SoftBoundsReference:
    n = _numbers(table)
    broken = Corrupt(n["corrupt"], n["corrupt_reach"]) if corrupt else None
    return SoftBoundsReference(
        _steps(n, AdditiveNoise(n["dw_min_std"]), LogNormalSpread(n["dw_min_dtod"])),
        _bounds(n),
        reference_std=n["reference_std"],
        upkeep=Upkeep(corrupt=broken),
        sources=_of(table),
    )


def _numbers(table: dict[str, Sourced]) -> dict[str, float]:
    return {name: float(number) for name, number in table.items()}


def _of(table: dict[str, Sourced]) -> tuple[str, ...]:
    return tuple(describe(table))


def _steps(n: dict[str, float], noise, spread=None) -> Steps:
    return Steps(
        n["dw_min"],
        up_down=n.get("up_down", 0.0),
        up_down_dtod=n.get("up_down_dtod", 0.0),
        spread=NormalSpread(n["dw_min_dtod"]) if spread is None else spread,
        noise=noise,
        write_noise=n.get("write_noise", 0.0),
    )


def _bounds(n: dict[str, float]) -> Bounds:
    return Bounds(n["w_min"], n["w_max"], n.get("w_min_dtod", 0.0), n["w_max_dtod"])


def _slopes(n: dict[str, float]) -> dict[str, Any]:
    return {name: n[name] for name in ("gamma_up", "gamma_down", "gamma_dtod")}


def _exponential(n: dict[str, float]) -> dict[str, Any]:
    names = ("amplitude_up", "amplitude_down", "gamma_up", "gamma_down", "scale", "shift")
    return {name: n[name] for name in names}
