"""Right arguments of rooms that have a file of their own: a line here for each."""

from typing import Any

import right_energy
import right_heal

OF = (right_energy, right_heal)
RESULTS = {name for room in OF for name in room.RESULTS}


def instances() -> list[Any]:
    """One of each class that has fields."""
    return [one for room in OF for one in room.instances()]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    return {name: given for room in OF for name, given in room.calls().items()}
