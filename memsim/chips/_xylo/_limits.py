"""What the chips of the Xylo family hold."""

from typing import NamedTuple

from device_models import Sourced

from ._rule import Core

MAPPER = "rockpool 3.1.0, its mapper"
SHEET = "second-hand, from a table of chips"
AUDIO2 = {
    "inputs": Sourced(16.0, "1", MAPPER),
    "hidden": Sourced(1000.0, "1", MAPPER),
    "outputs": Sourced(8.0, "1", MAPPER),
    "fan_out": Sourced(64.0, "1", SHEET),
}
AUDIO3 = AUDIO2 | {
    "hidden": Sourced(992.0, "1", MAPPER),
    "outputs": Sourced(32.0, "1", MAPPER),
    "fan_out": Sourced(1024.0, "1", SHEET),
}
IMU = AUDIO2 | {
    "hidden": Sourced(496.0, "1", MAPPER),
    "outputs": Sourced(16.0, "1", MAPPER),
    "fan_out": Sourced(496.0, "1", "assumed: none is published but that of all recurrent weights together"),
    "recurrent": Sourced(31744.0, "1", SHEET),
}


class Limits(NamedTuple):
    """One chip: what a network is held against, as in the tables above, and its core."""

    core: Core
    inputs: int
    hidden: int
    outputs: int
    fan_out: int
    recurrent: int | None = None

    @classmethod
    def of(cls, core: Core, table: dict[str, Sourced]) -> "Limits":
        return cls(core, **{name: int(limit.value) for name, limit in table.items()})


CHIPS = {
    "xylo_audio1": Limits.of("v1", AUDIO2),
    "xylo_audio2": Limits.of("v2", AUDIO2),
    "xylo_audio3": Limits.of("v2", AUDIO3),
    "xylo_imu": Limits.of("v2", IMU),
}
