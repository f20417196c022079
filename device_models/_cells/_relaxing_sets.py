"""The numbers of `rram_relaxing`, fitted by us to raw data whose publisher does not say which chips these are."""

from .._sourced import Sourced

LEVY = "Levy2024, public raw data"
FITTED, READ, BAKED = (
    f"{LEVY}; relaxdata, fitted by us without the few reads beyond 12 spreads of their level",
    f"{LEVY}; figures VarTime_A and MeanDriftTime_A, read by us",
    f"{LEVY}; bake of technology A, fitted by us",
)
ASSUMED = f"{LEVY}; of technology C, assumed"

RRAM_RELAXING_C = {
    "g_min": Sourced(0.625e-6, "S", f"{LEVY}; middle of the lowest of 32 levels"),
    "g_max": Sourced(40e-6, "S", f"{LEVY}; settings"),
    "write_noise": Sourced(0.35e-6, "S", FITTED + ": first reads about the middle of their level"),
    "times": Sourced((0.01, 0.1, 1.0, 4.0, 100000.0), "s", f"{LEVY}; nominal ages"),
    "at": Sourced(
        (0.015625, 0.046875, 0.078125, 0.14062, 0.26562, 0.45312, 0.64062, 0.82812, 0.98438),
        "1",
        f"{LEVY}; middles of levels, chosen by us",
    ),
    "shift_0": Sourced(
        (0.0288e-6, 0.0899e-6, 0.0349e-6, 0.0892e-6, -0.0181e-6, -0.0752e-6, -0.0829e-6, -0.0767e-6, -0.107e-6),
        "S",
        FITTED,
    ),
    "shift_1": Sourced(
        (0.136e-6, 0.25e-6, 0.11e-6, 0.137e-6, -0.0788e-6, -0.294e-6, -0.255e-6, -0.278e-6, -0.251e-6), "S", FITTED
    ),
    "shift_2": Sourced(
        (0.25e-6, 0.352e-6, 0.234e-6, 0.191e-6, -0.125e-6, -0.447e-6, -0.487e-6, -0.461e-6, -0.412e-6), "S", FITTED
    ),
    "shift_3": Sourced(
        (0.38e-6, 0.429e-6, 0.35e-6, 0.0146e-6, -0.691e-6, -0.71e-6, -0.65e-6, -0.665e-6, -0.438e-6), "S", FITTED
    ),
    "shift_4": Sourced(
        (0.41e-6, 0.734e-6, 0.515e-6, -0.031e-6, -0.983e-6, -2.06e-6, -2.11e-6, -2.12e-6, -2.08e-6), "S", FITTED
    ),
    "spread_0": Sourced(
        (0.244e-6, 0.551e-6, 0.62e-6, 0.991e-6, 1.04e-6, 1.11e-6, 0.877e-6, 0.817e-6, 0.682e-6), "S", FITTED
    ),
    "spread_1": Sourced((0.55e-6, 1.24e-6, 1.12e-6, 1.73e-6, 1.78e-6, 1.82e-6, 1.52e-6, 1.38e-6, 1.1e-6), "S", FITTED),
    "spread_2": Sourced(
        (0.865e-6, 1.31e-6, 1.77e-6, 2.27e-6, 2.34e-6, 2.35e-6, 2.01e-6, 1.74e-6, 1.52e-6), "S", FITTED
    ),
    "spread_3": Sourced((1.27e-6, 1.47e-6, 1.93e-6, 2.33e-6, 2.72e-6, 2.87e-6, 2.22e-6, 2.14e-6, 1.54e-6), "S", FITTED),
    "spread_4": Sourced((1.1e-6, 2.08e-6, 2.42e-6, 3.14e-6, 3.86e-6, 4.03e-6, 3.79e-6, 3.35e-6, 3.12e-6), "S", FITTED),
    "onset": Sourced(0.00864, "s", FITTED),
    "unevenness": Sourced(3.23, "1", FITTED),
    "healing": Sourced(0.0535, "1", FITTED),
    "bands": Sourced((0.0834, 0.249, 0.416, 0.58, 0.737, 0.904), "1", f"{LEVY}; means of sixths of the cells"),
    "rate": Sourced((0.0322, 0.158, 0.167, 0.131, 0.112, 0.3), "1", FITTED),
    "own": Sourced((0.245, 0.143, 0.121, 0.0832, 0.101, 0.146), "1", FITTED),
    "lean": Sourced((0.514, 0.166, -0.138, -0.233, -0.332, -0.167), "1", FITTED),
}

RRAM_RELAXING_B = {
    "g_min": Sourced(2e-6, "S", f"{LEVY}; middle of the lowest of 32 levels"),
    "g_max": Sourced(128e-6, "S", f"{LEVY}; settings"),
    "write_noise": Sourced(1.05e-6, "S", FITTED + ": first reads about the middle of their level"),
    "times": Sourced((0.01, 0.1, 1.0, 100.0, 1000.0), "s", f"{LEVY}; nominal ages"),
    "at": Sourced(
        (0.015625, 0.10938, 0.17188, 0.26562, 0.42188, 0.51562, 0.57812, 0.67188, 0.98438),
        "1",
        f"{LEVY}; middles of levels, chosen by us",
    ),
    "shift_0": Sourced(
        (0.0284e-6, 0.123e-6, 0.0922e-6, -0.479e-6, -0.4e-6, -0.3e-6, -0.0992e-6, -0.00759e-6, 0.00885e-6), "S", FITTED
    ),
    "shift_1": Sourced(
        (0.044e-6, 0.276e-6, -0.0989e-6, -1.14e-6, -1.34e-6, -0.507e-6, -0.215e-6, -0.0314e-6, 0.0541e-6), "S", FITTED
    ),
    "shift_2": Sourced(
        (0.135e-6, 0.268e-6, -0.503e-6, -2.18e-6, -2.16e-6, -0.643e-6, -0.454e-6, -0.0399e-6, 0.0751e-6), "S", FITTED
    ),
    "shift_3": Sourced(
        (0.119e-6, 0.399e-6, -0.882e-6, -3e-6, -2.97e-6, -0.8e-6, -0.893e-6, -0.048e-6, -0.0108e-6), "S", FITTED
    ),
    "shift_4": Sourced(
        (0.291e-6, 0.34e-6, -1.67e-6, -4.14e-6, -3.91e-6, -1.23e-6, -1.14e-6, -0.0871e-6, 0.016e-6), "S", FITTED
    ),
    "spread_0": Sourced(
        (0.307e-6, 1.1e-6, 2.8e-6, 3.82e-6, 3.63e-6, 2.69e-6, 1.72e-6, 0.544e-6, 0.466e-6), "S", FITTED
    ),
    "spread_1": Sourced(
        (0.358e-6, 1.89e-6, 3.57e-6, 5.65e-6, 6.14e-6, 4.1e-6, 2.73e-6, 0.782e-6, 0.525e-6), "S", FITTED
    ),
    "spread_2": Sourced(
        (0.558e-6, 1.92e-6, 4.78e-6, 7.07e-6, 8.29e-6, 4.94e-6, 3.68e-6, 0.931e-6, 0.608e-6), "S", FITTED
    ),
    "spread_3": Sourced(
        (0.631e-6, 2.77e-6, 5.66e-6, 7.97e-6, 9.28e-6, 5.78e-6, 4.69e-6, 1.2e-6, 0.713e-6), "S", FITTED
    ),
    "spread_4": Sourced(
        (0.893e-6, 2.54e-6, 6.03e-6, 8.75e-6, 10.5e-6, 6.35e-6, 5.09e-6, 1.29e-6, 0.759e-6), "S", FITTED
    ),
    "onset": Sourced(0.00408, "s", FITTED),
    "unevenness": Sourced(3.98, "1", FITTED),
    "healing": Sourced(0.0007, "1", FITTED),
    "bands": Sourced((0.0965, 0.248, 0.414, 0.586, 0.753, 0.916), "1", f"{LEVY}; means of sixths of the cells"),
    "rate": Sourced((0.0155, 0.3, 0.22, 0.0296, 0.135, 0.3), "1", FITTED),
    "own": Sourced((0.302, 0.155, 0.121, 0.0859, 0.396, 0.346), "1", FITTED),
    "lean": Sourced((0.344, -0.00351, -0.256, -0.42, -0.0992, -0.0307), "1", FITTED),
}

RRAM_RELAXING_A = {
    "g_min": Sourced(3.75e-6, "S", f"{LEVY}; middle of the lowest of 32 levels"),
    "g_max": Sourced(240e-6, "S", f"{LEVY}; settings"),
    "write_noise": Sourced((2.47e-6, 4.76e-6, 3.17e-6, 2.6e-6, 2.5e-6), "S", READ + ": spread at the first read"),
    "times": Sourced((0.1, 1.0, 100.0, 1000.0, 10000.0, 100000.0), "s", f"{LEVY}; nominal ages"),
    "at": Sourced((0.015625, 0.26562, 0.51562, 0.76562, 0.98438), "1", READ + ": ranges 0, 8, 16, 24, 31 of 32"),
    "shift_0": Sourced((0.403e-6, 0.378e-6, 0.551e-6, 0.469e-6, 0.614e-6), "S", READ + ", less that of the first read"),
    "shift_1": Sourced((0.905e-6, 0.724e-6, 0.616e-6, 0.391e-6, 0.94e-6), "S", READ + ", less that of the first read"),
    "shift_2": Sourced((1.32e-6, 0.416e-6, 1.37e-6, 0.835e-6, 1.28e-6), "S", READ + ", less that of the first read"),
    "shift_3": Sourced((1.65e-6, 0.305e-6, 1.18e-6, 0.741e-6, 1.16e-6), "S", READ + ", less that of the first read"),
    "shift_4": Sourced((1.83e-6, 0.398e-6, 1.07e-6, 0.762e-6, 1.38e-6), "S", READ + ", less that of the first read"),
    "shift_5": Sourced((2.61e-6, 0.502e-6, 1.32e-6, 1.26e-6, 2.19e-6), "S", READ + ", less that of the first read"),
    "spread_0": Sourced(
        (2.04e-6, 6.54e-6, 3.12e-6, 2e-6, 1.39e-6), "S", READ + ", less the variance of the first read"
    ),
    "spread_1": Sourced(
        (3.33e-6, 8.17e-6, 4.23e-6, 2.7e-6, 2.08e-6), "S", READ + ", less the variance of the first read"
    ),
    "spread_2": Sourced(
        (4.27e-6, 10e-6, 4.53e-6, 3.02e-6, 2.71e-6), "S", READ + ", less the variance of the first read"
    ),
    "spread_3": Sourced(
        (5.19e-6, 9.84e-6, 4.93e-6, 3.31e-6, 2.64e-6), "S", READ + ", less the variance of the first read"
    ),
    "spread_4": Sourced(
        (5.77e-6, 10.2e-6, 5.43e-6, 3.47e-6, 2.84e-6), "S", READ + ", less the variance of the first read"
    ),
    "spread_5": Sourced(
        (8.34e-6, 11.3e-6, 5.68e-6, 3.93e-6, 3.07e-6), "S", READ + ", less the variance of the first read"
    ),
    "onset": Sourced(0.00864, "s", ASSUMED),
    "unevenness": Sourced(3.23, "1", ASSUMED),
    "healing": Sourced(0.0535, "1", ASSUMED),
    "bands": Sourced((0.0834, 0.249, 0.416, 0.58, 0.737, 0.904), "1", ASSUMED),
    "rate": Sourced((0.0322, 0.158, 0.167, 0.131, 0.112, 0.3), "1", ASSUMED),
    "own": Sourced((0.245, 0.143, 0.121, 0.0832, 0.101, 0.146), "1", ASSUMED),
    "lean": Sourced((0.514, 0.166, -0.138, -0.233, -0.332, -0.167), "1", ASSUMED),
}

RRAM_BAKED_A = {
    "temperatures": Sourced((373.15, 413.15, 453.15, 493.15, 533.15), "K", f"{LEVY}; bake of technology A"),
    "ages": Sourced((7165.0, 4494.0, 5262.0, 4566.0, 5199.0), "s", f"{LEVY}; of the read after each bake"),
    "bake_at": Sourced((0.03, 0.08, 0.2, 0.4, 0.6, 0.8, 0.95), "1", f"{LEVY}; chosen by us"),
    "bake_shift_0": Sourced((3.81e-6, 7.17e-6, 8.14e-6, 4.55e-6, -1.41e-6, -2.3e-6, -1.47e-6), "S", BAKED),
    "bake_shift_1": Sourced((6.97e-6, 12.1e-6, 13.6e-6, 8.05e-6, -0.0505e-6, -2.37e-6, -2.09e-6), "S", BAKED),
    "bake_shift_2": Sourced((7e-6, 14.5e-6, 16.9e-6, 9.76e-6, -0.418e-6, -3.12e-6, -3.82e-6), "S", BAKED),
    "bake_shift_3": Sourced((3.73e-6, 7.41e-6, 4.85e-6, -9.29e-6, -23.8e-6, -21.3e-6, -17.4e-6), "S", BAKED),
    "bake_shift_4": Sourced((2.5e-6, -1.89e-6, -15.7e-6, -46.7e-6, -78e-6, -91.5e-6, -67.3e-6), "S", BAKED),
    "bake_spread_0": Sourced((7.71e-6, 15.6e-6, 20.2e-6, 15.7e-6, 10.3e-6, 5.03e-6, 2.58e-6), "S", BAKED),
    "bake_spread_1": Sourced((13e-6, 21.4e-6, 23.1e-6, 18.5e-6, 13.3e-6, 6.17e-6, 3.36e-6), "S", BAKED),
    "bake_spread_2": Sourced((12.8e-6, 23e-6, 27.8e-6, 23.6e-6, 17.6e-6, 9.61e-6, 5.28e-6), "S", BAKED),
    "bake_spread_3": Sourced((12.6e-6, 23.6e-6, 30.7e-6, 32.1e-6, 32.2e-6, 25.9e-6, 17.2e-6), "S", BAKED),
    "bake_spread_4": Sourced((6.12e-6, 20.4e-6, 28.9e-6, 36.8e-6, 46.9e-6, 58.5e-6, 61.2e-6), "S", BAKED),
}
