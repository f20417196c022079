"""The commands `memsim energy list` and `memsim energy check`."""


def list_numbers() -> None:
    """The numbers that energies are reckoned from, each with its source."""
    from device_models import describe

    from ..energy import NUMBERS

    for name, table in NUMBERS.items():
        print(name)
        for line in describe(table):
            print(f"  {line}")


def check_energy() -> int:
    """Print published energies, powers and speeds of chips beside ours; the status is 1 if any is out of its bound."""
    from ..energy import judged

    points = judged()
    print(f"{'':8} {'chip':13} {'what':40} {'published':>10} {'ours':>10} {'ratio':>6} {'bound':>7}")
    for point in points:
        met = "met" if point.met else "NOT MET"
        numbers = f"{point.published:10.4g} {point.ours:10.4g} {point.ratio:6.3f} {point.bound:7.1%}"
        note = point.note.removeprefix("not met: ")
        print(f"{met:8} {point.chip:13} {point.what + ', ' + point.unit:40} {numbers}  {note}".rstrip())
    missed = sum(not point.met for point in points)
    print(f"{len(points) - missed} of {len(points)} within their bounds")
    return 1 if missed else 0
