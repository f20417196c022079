"""What the chips of the Loihi family hold."""

from typing import NamedTuple

from device_models import Sourced

CHECKS = "nengo-loihi 1.1.0, its checks of a block"
LOIHI1 = {
    "cores": Sourced(128.0, "1", "Davies2018"),
    "compartments": Sourced(1024.0, "1 a core", CHECKS),
    "in_axons": Sourced(4096.0, "1 a core", CHECKS),
    "synapse_bits": Sourced(16384.0 * 64, "bit a core", CHECKS),
    "refractory": Sourced(63.0, "steps", CHECKS),
    "delay": Sourced(62.0, "steps", "lava-nc 0.10.0"),
}
LOIHI2 = LOIHI1 | {
    "compartments": Sourced(8192.0, "1 a core", "technology brief of Loihi 2, Intel 2021"),
    "synapse_bits": Sourced(192.0 * 8 * 1024, "bit a core", "technology brief of Loihi 2, Intel 2021"),
}


class Limits(NamedTuple):
    """The numbers that a network is held against, as in the tables above."""

    cores: int
    compartments: int
    in_axons: int
    synapse_bits: int
    refractory: int
    delay: int

    @classmethod
    def of(cls, table: dict[str, Sourced], *, chips: int = 1) -> "Limits":
        """Those of so many `chips`."""
        found = {name: int(float(limit)) for name, limit in table.items()}
        return cls(**found | {"cores": found["cores"] * chips})
