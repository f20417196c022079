"""Published pulsed devices, each number with its place, in units of a weight whose nominal range is about two."""

from typing import Any

from .._checks import checked
from .._sourced import Sourced, describe
from ._curved import ExpStep
from ._linear import ConstantStep, LinearStep, SoftBoundsReference
from ._noise import AdditiveNoise, ComplexNoise, MultiplicativeNoise
from ._parts import Bounds, Corrupt, Leak, LogNormalSpread, NormalSpread, Reset, Steps, Upkeep

GONG = "Gong2018, 10.1038/s41467-018-04485-1, as coded in aihwkit"
LI = "Li2018, VLSI 2018, as coded in aihwkit"
TANG = "Tang2018, IEDM 2018, as coded in aihwkit"
KIM = "Kim2019, IEDM 2019, as coded in aihwkit"
GOKMEN = "Gokmen2016, as coded in aihwkit"
NANDAKUMAR = "Nandakumar2020, as coded in aihwkit"
ARRAYS = "Gong2022, IEDM 2022, as coded in aihwkit"


def _pure(where: str, **values: float) -> dict[str, Sourced]:
    return {name: Sourced(value, "1", where) for name, value in values.items()}


RERAM_ES_GONG_2018 = _pure(
    f"{GONG}; fitted",
    dw_min=0.00135,
    dw_min_dtod=0.2,
    dw_min_std=5.0,
    write_noise=75.0,
    up_down=0.259359,
    up_down_dtod=0.05,
    w_min=-1.0,
    w_max=1.0,
    w_min_dtod=0.3,
    w_max_dtod=0.3,
    amplitude_up=-1.18445,
    amplitude_down=-0.081404,
    gamma_up=5.0,
    gamma_down=5.0,
    scale=-0.5,
    shift=-0.5,
)
RERAM_SB_GONG_2018 = _pure(
    f"{GONG}; a loose fit",
    dw_min=0.002,
    dw_min_dtod=0.3,
    dw_min_std=3.75,
    write_noise=56.0,
    up_down_dtod=0.01,
    w_min=-0.75,
    w_max=1.25,
    w_min_dtod=0.4,
    w_max_dtod=0.24,
)
CAPACITOR_LI_2018 = _pure(
    f"{LI}; fitted",
    dw_min=0.005,
    dw_min_dtod=0.1,
    dw_min_std=0.3,
    up_down_dtod=0.06,
    w_min=-1.0,
    w_max=1.0,
    w_min_dtod=0.07,
    w_max_dtod=0.07,
    gamma_up=0.05,
    gamma_down=0.05,
    gamma_dtod=0.01,
    lifetime=1e6,
    lifetime_dtod=0.3,
)
ECRAM_TANG_2018 = _pure(
    f"{TANG}; fitted",
    dw_min=0.002,
    dw_min_dtod=0.1,
    dw_min_std=0.3,
    up_down_dtod=0.01,
    w_min=-0.8276,
    w_max=1.1724,
    w_min_dtod=0.05,
    w_max_dtod=0.05,
    gamma_up=0.1153,
    gamma_down=0.5085,
    gamma_dtod=0.05,
)
ECRAM_MO_KIM_2019 = _pure(
    f"{KIM}; fitted",
    dw_min=2.8214e-4,
    dw_min_dtod=0.1,
    dw_min_std=2.0,
    up_down_dtod=0.01,
    w_min=-0.8286,
    w_max=1.1714,
    w_min_dtod=0.05,
    w_max_dtod=0.05,
    gamma_up=0.4152,
    gamma_down=0.7342,
    gamma_dtod=0.05,
)
IDEALIZED = _pure(
    "assumed: the idealized device of aihwkit, 10 000 states",
    dw_min=2e-4,
    dw_min_dtod=0.3,
    dw_min_std=0.3,
    w_min=-1.0,
    w_max=1.0,
    w_min_dtod=0.3,
    w_max_dtod=0.3,
)
GOKMEN_2016 = _pure(
    f"{GOKMEN}; a specification of what a device must do, not a measurement",
    dw_min=1.6e-3,
    dw_min_dtod=0.3,
    dw_min_std=0.3,
    up_down_dtod=0.01,
    w_min=-1.0,
    w_max=1.0,
    w_min_dtod=0.3,
    w_max_dtod=0.3,
)
PCM_ONESIDED_NANDAKUMAR_2020 = _pure(
    f"{NANDAKUMAR}; fitted",
    dw_min=0.01,
    dw_min_dtod=0.2,
    dw_min_std=0.6,
    noise_added=0.042,
    noise_slope=0.108,
    up_down_dtod=0.05,
    w_min=0.0,
    w_max=2.0,
    w_max_dtod=0.1,
    amplitude_up=-27.235,
    amplitude_down=-2.235,
    gamma_up=2.5,
    gamma_down=2.5,
    scale=-1.0,
    shift=0.0,
    reset=0.01,
    reset_dtod=0.02,
    refresh_above=0.75,
    refresh_below=0.25,
)
RERAM_ARRAY_OM_GONG_2022 = _pure(
    f"{ARRAYS}; measured on arrays",
    dw_min=0.0949,
    dw_min_dtod=0.7829,
    dw_min_std=0.4158,
    write_noise=1.4113,
    up_down_dtod=0.01,
    w_min=-1.0,
    w_max=1.0,
    w_min_dtod=0.5695,
    w_max_dtod=0.3499,
    reference_std=0.05,
    corrupt=0.1348,
    corrupt_reach=0.01,
)
RERAM_ARRAY_HFO2_GONG_2022 = _pure(
    f"{ARRAYS}; measured on arrays",
    dw_min=0.4622,
    dw_min_dtod=0.7125,
    dw_min_std=0.2174,
    write_noise=0.5841,
    up_down_dtod=0.01,
    w_min=-1.0,
    w_max=1.0,
    w_min_dtod=0.599,
    w_max_dtod=0.4295,
    reference_std=0.05,
    corrupt=0.0977,
    corrupt_reach=0.01,
)


def reram_es_gong2018() -> ExpStep:
    """Bilayer ReRAM with exponential steps, noisy: a step varies by five times its size from pulse to pulse.

    Reference: Gong2018.
    """
    n = _numbers(RERAM_ES_GONG_2018)
    return ExpStep(
        _steps(n, MultiplicativeNoise(n["dw_min_std"])), _bounds(n), **_exponential(n), sources=_of(RERAM_ES_GONG_2018)
    )


def reram_sb_gong2018() -> SoftBoundsReference:
    """The same ReRAM, loosely fitted by soft bounds.

    Reference: Gong2018.
    """
    n = _numbers(RERAM_SB_GONG_2018)
    return SoftBoundsReference(_steps(n, AdditiveNoise(n["dw_min_std"])), _bounds(n), sources=_of(RERAM_SB_GONG_2018))


def capacitor_li2018() -> LinearStep:
    """Capacitor with CMOS current sources: nearly linear, and leaking over a million mini-batches.

    Reference: Li2018.
    """
    n = _numbers(CAPACITOR_LI_2018)
    leak = Leak(n["lifetime"], n["lifetime_dtod"])
    noise = AdditiveNoise(n["dw_min_std"])
    return LinearStep(_steps(n, noise), _bounds(n), **_slopes(n), upkeep=Upkeep(leak), sources=_of(CAPACITOR_LI_2018))


def ecram_tang2018() -> LinearStep:
    """Lithium-ion ECRAM.

    Reference: Tang2018.
    """
    n = _numbers(ECRAM_TANG_2018)
    noise = MultiplicativeNoise(n["dw_min_std"])
    return LinearStep(_steps(n, noise), _bounds(n), **_slopes(n), sources=_of(ECRAM_TANG_2018))


def ecram_mo_kim2019() -> LinearStep:
    """Metal-oxide ECRAM.

    Reference: Kim2019.
    """
    n = _numbers(ECRAM_MO_KIM_2019)
    noise = MultiplicativeNoise(n["dw_min_std"])
    return LinearStep(_steps(n, noise), _bounds(n), **_slopes(n), sources=_of(ECRAM_MO_KIM_2019))


def idealized() -> ConstantStep:
    """A device of 10 000 constant, symmetric steps, with spread: a bar for real ones, not a model of one."""
    n = _numbers(IDEALIZED)
    return ConstantStep(_steps(n, MultiplicativeNoise(n["dw_min_std"])), _bounds(n), sources=_of(IDEALIZED))


def gokmen2016() -> ConstantStep:
    """The device that the proposal of resistive processing units asks for: about 1200 constant steps.

    Reference: Gokmen2016.
    """
    n = _numbers(GOKMEN_2016)
    return ConstantStep(_steps(n, MultiplicativeNoise(n["dw_min_std"])), _bounds(n), sources=_of(GOKMEN_2016))


def pcm_onesided_nandakumar2020() -> ExpStep:
    """One phase-change device that crystallises pulse by pulse, from 0 to 2; only pulses up are physical.

    A signed weight takes two of them: `OneSidedPair`, which is refreshed before a device saturates.

    Reference: Nandakumar2020.
    """
    n = _numbers(PCM_ONESIDED_NANDAKUMAR_2020)
    noise = ComplexNoise(n["dw_min_std"], n["noise_added"], n["noise_slope"])
    reset = Reset(n["reset"], dtod=n["reset_dtod"])
    return ExpStep(
        _steps(n, noise),
        _bounds(n),
        **_exponential(n),
        upkeep=Upkeep(reset=reset),
        sources=_of(PCM_ONESIDED_NANDAKUMAR_2020),
    )


@checked()
def reram_array_om_gong2022(*, corrupt: bool = False) -> SoftBoundsReference:
    """Array of the optimised ReRAM material: about 20 steps, widely spread; with `corrupt`, 13 % do not move.

    Reference: Gong2022.
    """
    return _reram_array(RERAM_ARRAY_OM_GONG_2022, corrupt)


@checked()
def reram_array_hfo2_gong2022(*, corrupt: bool = False) -> SoftBoundsReference:
    """Array of the baseline HfO2 ReRAM: about 4 steps, widely spread; with `corrupt`, 10 % do not move.

    Reference: Gong2022.
    """
    return _reram_array(RERAM_ARRAY_HFO2_GONG_2022, corrupt)


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
