"""Published numbers of pulsed devices, each with its place, in units of a weight whose nominal range is about two."""

from .._sourced import Sourced

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
