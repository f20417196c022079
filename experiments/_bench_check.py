"""Compares results of `speed` with the ratios of the last release: `make bench-check`."""

import csv
import sys
from pathlib import Path

STORED = Path(__file__).parent / "_bench_ratios.csv"
SLOWER = 1.25  # of the stored ratio, at most


def slower(found: dict[str, float], stored: dict[str, float]) -> list[str]:
    """A line for each stored case that was not measured, or whose ratio has grown beyond `SLOWER`."""
    lines = []
    for name, before in stored.items():
        now = found.get(name)
        if now is None:
            lines.append(f"{name}: not measured")
        elif not now <= SLOWER * before:  # a ratio that is no number fails, too
            lines.append(f"{name}: {now:.3g}, {now / before:.2f} times the stored {before:.3g}")
    return lines


def ratios(path: Path) -> dict[str, float]:
    """Value of each case of a file of ratios; lines that begin with # say where they are from."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return {row["case"]: float(row["value"]) for row in csv.DictReader(lines)}


if __name__ == "__main__":
    found = {name: value for path in sys.argv[1:] for name, value in ratios(Path(path)).items()}
    wrong = slower(found, ratios(STORED))
    print("\n".join(wrong) or f"No ratio has grown beyond {SLOWER} of the stored one.")
    sys.exit(bool(wrong))
