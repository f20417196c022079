"""The published numbers of JART VCM v1b."""

from .._sourced import Sourced

FIT = "Ntinas2022, explicit current, as coded in aihwkit pull request 501"
PHYSICS = "Bengel2020, as coded in aihwkit pull request 501"

JART_BENGEL_2020 = {
    "alpha_0": Sourced(4.81951e-5, "A", FIT),
    "alpha_2": Sourced(1.03685, "V", FIT),
    "alpha_3": Sourced(0.34567, "V", FIT),
    "beta_0": Sourced(7.0526e-4, "S", FIT),
    "beta_1": Sourced(4.2383e-5, "A", FIT),
    "c": Sourced((4.004, 2.8646, 4.2125, 1.4134), "1, 1/V, 1, V", FIT),
    "d": Sourced((6.6103, 1.4524, 7.4235, 4.0585), "1, 1/V, 1, V", FIT),
    "f": Sourced((6.326e-4, 1.4711, 0.5199, 1.561), "1, 1, V, 1", FIT),
    "g": Sourced((4.84e-3, 0.1353), "A, 1/V", FIT),
    "h": Sourced((5.548, 6.8648, 51.586, 0.36), "1, 1/V, 1, 1/V", FIT),
    "j_0": Sourced(1.054, "1", FIT),
    "k_0": Sourced(1.0526, "1", FIT),
    "temperature": Sourced(293.0, "K", PHYSICS),
    "kelvin_per_volt_inverse": Sourced(8.61860174781523e-05, "V/K", PHYSICS),
    "charge": Sourced(1.602e-19, "C", PHYSICS),
    "mobility": Sourced(4e-6, "m^2/(V s)", f"{PHYSICS}; 1e-6 to 1e-5"),
    "n_min": Sourced(0.008, "1e26/m^3", PHYSICS),
    "n_max": Sourced(20.0, "1e26/m^3", PHYSICS),
    "n_plug": Sourced(20.0, "1e26/m^3", PHYSICS),
    "n_low": Sourced(0.06, "1e26/m^3", f"{PHYSICS}; lower working bound"),
    "n_high": Sourced(1.9897452127440086504, "1e26/m^3", f"{PHYSICS}; upper working bound"),
    "hop": Sourced(0.25e-9, "m", PHYSICS),
    "attempts": Sourced(2e13, "Hz", PHYSICS),
    "barrier": Sourced(1.35, "eV", PHYSICS),
    "thermal_resistance": Sourced(15.72e6, "K/W", PHYSICS),
    "kappa": Sourced(0.27, "1", PHYSICS),
    "radius": Sourced(45e-9, "m", PHYSICS),
    "radius_0": Sourced(45e-9, "m", f"{PHYSICS}; the nominal disc"),
    "l_cell": Sourced(3e-9, "m", PHYSICS),
    "l_disc": Sourced(0.4e-9, "m", PHYSICS),
    "r_oxide": Sourced(650.0, "ohm", PHYSICS),
    "r_line": Sourced(719.2437, "ohm", PHYSICS),
    "thermal_line": Sourced(90471.47, "K/W", PHYSICS),
    "alpha_line": Sourced(3.92e-3, "1/K", PHYSICS),
    "x_0": Sourced(0.06, "1e26/m^3", f"{PHYSICS}; the lower working bound"),
}
