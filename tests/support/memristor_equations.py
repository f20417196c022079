"""The equations and numbers of the compact memristors typed a second time, in numpy, for SciPy to integrate."""

import numpy as np
from scipy.integrate import solve_ivp


def hp(r_on, r_off, thickness, mobility, window):
    def current(x, v):
        return v / (r_on * x + r_off * (1 - x))

    return current, lambda x, v: mobility * r_on / thickness**2 * current(x, v) * window(x, v)


def biolek(x, v):
    return 1 - (x - (1.0 if v < 0 else 0.0)) ** 14


def vteam_current(w, v):
    return v / (1000 * w / 3e-9 + 50 * (1 - w / 3e-9))


def vteam_flow(w, v):
    if v > 0.02:
        return 5e-4 * (v / 0.02 - 1)
    return -10 * (v / -0.2 - 1) ** 3 if v < -0.2 else 0.0


def yakopcic_current(x, v):
    return 0.17 * x * np.sinh(0.05 * v)


def yakopcic_flow(x, v):
    if v > 0.65:
        fade = np.exp(-(x - 0.3)) * ((0.3 - x) / 0.7 + 1) if x >= 0.3 else 1.0
        return 4000 * (np.exp(v) - np.exp(0.65)) * fade
    if v < -0.56:
        fade = np.exp(5 * (x - 0.5)) * x / 0.5 if x <= 0.5 else 1.0
        return -4000 * (np.exp(-v) - np.exp(0.56)) * fade
    return 0.0


def michigan_current(x, v):
    return (1 - x) * 0.5e-6 * (1 - np.exp(-0.5 * v)) + x * 4e-6 * np.sinh(2 * v)


def michigan_flow(x, v):
    return 4.5 * 0.004 * np.sinh(4 * v)


def mms_current(x, v):
    return v * (x / 500 + (1 - x) / 1500)


def mms_flow(x, v):
    thermal = 1.380649e-23 * 298.5 / 1.602176634e-19
    on, off = (1 / (1 + np.exp(-u / thermal)) for u in (v - 0.27, v + 0.27))
    return (on * (1 - x) - (1 - off) * x) / 1e-4


def stanford_current(gap, v):
    return 1e-3 * np.exp(-gap / 0.25e-9) * np.sinh(v / 0.25)


def stanford_flow(gap, v):
    kt = 1.3806503e-23 * (298 + abs(v * stanford_current(gap, v) * 2.1e3))
    gamma = 16 - 0.8 * (gap / 1e-9) ** 3
    if gamma * abs(v) / 12e-9 < 1.4e9:
        return 0.0
    return -10 * np.exp(-1.6e-19 * 0.6 / kt) * np.sinh(gamma * 0.25e-9 * 1.6e-19 * v / (12e-9 * kt))


def data_2017_current(r, v):
    return 0.24 / r * np.sinh(3 * v)


def data_2017_flow(r, v):
    """The derivative of the published closed-form step."""
    limit = 16719.0 if v > 0 else 29304.82557 + 23692.77225 * v
    if v > 0 and r < limit:
        return 743.47 * (np.exp(6.51 * v) - 1) * (np.exp(5.11e-4 * (limit - r)) - 1)
    if v < 0 and r > limit:
        return -68012.28374 * (np.exp(0.31645 * -v) - 1) * (np.exp(1.17e-3 * (r - limit)) - 1)
    return 0.0


def data_2021_current(r, v):
    return 0.32046175 / r * np.sinh(2.71689828 * v)


def data_2021_flow(r, v):
    limit = 2699.2336 - 672.930205 * v if v > 0 else 649.413746 - 1474.32358 * v
    if v > 0 and r > limit:
        return 600.10075 * (np.exp(v / -0.0212028) - 1) * (limit - r) ** 2
    if v < 0 and r < limit:
        return -34.5988399 * (np.exp(-v / -0.05343997) - 1) * (limit - r) ** 2
    return 0.0


def jart_current(n, v):
    if v >= 0:
        shape = 5.548 + 6.8648 * v + 51.586 * np.exp(-0.36 * v)
        return -4.84e-3 * (np.exp(-0.1353 * v) - 1) / (1 + shape * (n / 0.008) ** -1.054) ** (1 / 1.0526)
    a_0, a_2, a_3 = 4.81951e-5, 1.03685, 0.34567
    alpha = (a_0 * np.exp(-a_2 / a_3) + a_0) / (1 + np.exp(-(v + a_2) / a_3)) - a_0
    beta = 4.2383e-5 * (1 - np.exp(-v)) - 7.0526e-4 * v
    c = 4.2125 * np.exp(-v / 1.4134) + 2.8646 * v - 4.004
    d = 7.4235 * np.exp(-v / 4.0585) + 1.4524 * v - 6.6103
    f = 6.326e-4 + (1.4711 - 6.326e-4) / (1 + (-v / 0.5199) ** 1.561)
    return -alpha - beta / (1 + (c / n) ** d) ** f


def jart_flow(n, v):
    i = jart_current(n, v)
    across = v - i * (650 + 719.2437 * (1 + 719.2437 * 3.92e-3 * 90471.47 * i**2))
    area = np.pi * 45e-9**2
    field = i / (2 * 1.602e-19 * 4e-6 * 1e26 * area * n) if v < 0 else across / 3e-9
    thermal = 8.61860174781523e-05 * (293 + i * across * 15.72e6 * (1 if v < 0 else 0.27))
    gamma = 2 * 0.25e-9 * field / (1.35 * np.pi)
    forward, back = (
        1.35 * (np.sqrt(1 - gamma**2) + sign * gamma * np.pi / 2 + gamma * np.arcsin(gamma)) for sign in (-1, 1)
    )
    full = 1 - (n / 20) ** 10 if v < 0 else 1 - (0.008 / n) ** 10
    hops = np.exp(-forward / thermal) - np.exp(-back / thermal)
    return -0.5 * (20 + n) * 0.25e-9 * 2e13 * full * hops / 0.4e-9


EQUATIONS = {
    "hp_strukov2008": hp(100, 16e3, 10e-9, 1e-14, lambda x, v: 1 - (2 * x - 1) ** 2),
    "hp_joglekar2009": hp(100, 10e3, 12e-9, 50e-15, lambda x, v: 1 - (2 * x - 1) ** 14),
    "hp_biolek2009": hp(100, 1e3, 16e-9, 40e-15, biolek),
    "vteam_kvatinsky2015": (vteam_current, vteam_flow),
    "yakopcic2011": (yakopcic_current, yakopcic_flow),
    "michigan_chang2011": (michigan_current, michigan_flow),
    "mms_molter2016": (mms_current, mms_flow),
    "stanford_jiang2016": (stanford_current, stanford_flow),
    "data_driven2017": (data_2017_current, data_2017_flow),
    "data_driven2021": (data_2021_current, data_2021_flow),
    "jart_bengel2020": (jart_current, jart_flow),
}


def scipy_trace(name, time, voltage, start, scale):
    """Current and state at the samples; the voltage is linear between them, the state measured in `scale`."""
    current, flow = EQUATIONS[name]
    states = [start]
    for k in range(len(time) - 1):
        span, slope = time[k + 1] - time[k], voltage[k + 1] - voltage[k]

        def rate(share, y, k=k, span=span, slope=slope):
            return [span / scale * flow(y[0] * scale, voltage[k] + share * slope)]

        found = solve_ivp(rate, (0, 1), [states[-1] / scale], method="DOP853", rtol=1e-10, atol=1e-13)
        states.append(found.y[0, -1] * scale)
    currents = [current(x, v) for x, v in zip(states, voltage, strict=True)]
    return np.array(currents), np.array(states)
