"""Published numbers of components: what one operation costs, with where it was read.

"recalled" marks a number that we have not seen at its source, "assumed" one that has none; the report names both.
"""

from device_models import Sourced

ISAAC = "Shafiee2016, at 32 nm"
HWC = "as coded in hwcomponents-library"
HOROWITZ = "Horowitz2014, at 45 nm and 0.9 V"
NEURRAM = "Wan2022, at 130 nm and 1.8 V"

FITTED_ADC = "Andrulis2024, fit to the survey of Murmann, as coded in CiMLoop"
ADC_FIT = {
    "walden": Sourced((213.7806687348118, -2.8719030399529957), "dB", f"{FITTED_ADC}: at 1 Hz, per unit of ln f"),
    "schreier": Sourced((128.3068287398817, 3.2205), "dB", f"{FITTED_ADC}: cap, and per bit of the ENOB rounded up"),
    "node": Sourced((26.0496215686518, 1.8800369206815004), "1", f"{FITTED_ADC}: per unit of ln(node / nm)"),
    "enob": Sourced((-2.8291256050594527, -1.4702022133784405), "1", f"{FITTED_ADC}: per unit of ln ENOB, and offset"),
    "area": Sourced(
        (1.3461916439910742, 0.9932794744745022, 0.18071538424508238, 0.29912426192653485),
        "1",
        f"{FITTED_ADC}: ln um^2, per unit of ln(node / nm), ln(f / Hz), ln(E / pJ)",
    ),
}

SURVEY = {  # of the 215 converters of the survey that hwcomponents-adc 1.0.21 brings
    "rates": Sourced((1e3, 90e9), "1/s", "survey of Murmann, 1997 to 2023: the slowest and the fastest, read by us"),
    "enob": Sourced((3.4, 17.2), "1", "survey of Murmann, 1997 to 2023: the fewest and the most bits, read by us"),
}

STILLMAKER = "Stillmaker2017, as coded in hwcomponents"
NODES = {  # the energy of a switch is a V^2 + b V + c, the area relative to that at 130 nm
    "nodes": Sourced((130.0, 90.0, 65.0, 45.0, 32.0, 20.0, 16.0, 14.0, 10.0, 7.0), "nm", STILLMAKER),
    "square": Sourced((7.171, 4.762, 3.755, 1.103, 0.9559, 0.373, 0.2958, 0.2363, 0.2068, 0.1776), "1/V^2", STILLMAKER),
    "linear": Sourced(
        (-6.709, -4.781, -4.398, -0.362, -0.7823, -0.1582, -0.1241, -0.09675, -0.09311, -0.09097), "1/V", STILLMAKER
    ),
    "constant": Sourced(
        (2.904, 2.092, 1.975, 0.2767, 0.471, 0.04104, 0.03024, 0.02239, 0.02375, 0.02447), "1", STILLMAKER
    ),
    "area": Sourced((1.0, 0.44, 0.23, 0.16, 0.072, 0.033, 0.03, 0.027, 0.016, 0.0092), "1", STILLMAKER),
}

DIGITAL = {
    "add_32": Sourced(0.1e-12, "J", f"{HOROWITZ}: 32-bit integers"),
    "multiply_32": Sourced(3.1e-12, "J", f"{HOROWITZ}: 32-bit integers"),
    "multiply_8": Sourced(0.2e-12, "J", f"{HOROWITZ}: 8-bit integers, recalled"),
    "sram_bytes": Sourced((8192.0, 32768.0, 1048576.0), "B", HOROWITZ),
    "sram": Sourced(
        (10e-12, 20e-12, 100e-12),
        "J",
        f"{HOROWITZ}: 64 bits of a cache of 8 KiB, 32 KiB and 1 MiB; the latter two recalled",
    ),
    "dram": Sourced(1.3e-9, "J", f"{HOROWITZ}: 64 bits, the lower end of 1.3 to 2.6 nJ, recalled"),
    "instruction": Sourced(70e-12, "J", f"{HOROWITZ}: overhead of an instruction of an in-order processor, recalled"),
    "sram_bit": Sourced(150.0, "1", "area of a bit in squares of the node, recalled"),
}

ANALOG = {
    "line": Sourced(2.1e-15, "F", f"{NEURRAM}: capacitance of a word line per cell, {HWC}"),
    "line_driver": Sourced(48e-15, "F", f"{NEURRAM}: of the driver of a word line, {HWC}"),
    "driver": Sourced(0.39e-12, "J", f"{ISAAC}: driver of 1 bit, for one pulse, computed from its power"),
    "dac_unit": Sourced(1e-15, "F", "unit capacitor of a DAC of voltages, of which 2^b are charged, assumed"),
    "counted_bits": Sourced(2.0, "1", "bits of a counter that switch in a step, each as one of a sum, assumed"),
    "sample": Sourced(1e-15, "J", f"{ISAAC}: sample and hold, second-hand"),
    "shift_add": Sourced(0.021e-12, "J", f"{ISAAC}: shift and add of 16 bits, {HWC}"),
    "comparison": Sourced(
        10e-15, "J", "one step of a ramp, or one comparator of a flash converter, in the middle of 1 to 50 fJ, recalled"
    ),
    "oscillator": Sourced(
        0.384e-3,
        "W",
        "Khaddam2022, at 14 nm: of a column of a whole core, computed by us from 10.5 TOPS/W in 127 cycles of 1 GHz",
    ),
    "oscillator_area": Sourced(
        2.535e-9, "m^2", "Khaddam2022, at 14 nm: of a column of a whole core, computed by us from 1.59 TOPS/mm^2"
    ),
    "bus_bit": Sourced(0.68e-12 / 8, "J", f"{ISAAC}: bus within a tile, for one bit, second-hand"),
    "hop_bit": Sourced(20.74e-12 / 256, "J", f"{ISAAC}: router, for one bit, {HWC}"),
    "cell": Sourced(125.8, "1", "Wan2022: area of a cell in squares of the node, computed from that of an array"),
    "driver_area": Sourced(952e-12, "m^2", f"{NEURRAM}: drivers of one row, computed from those of a core"),
    "leakage": Sourced(1e3, "W/m^2", "leakage of all that is not cells, assumed"),
}
HOROWITZ_NODE, ISAAC_NODE, NEURRAM_NODE = (45e-9, 0.9), (32e-9, 1.0), (130e-9, 1.8)  # metres and volts
HERMES_NODE = (14e-9, 0.8)  # of which the supply is assumed
