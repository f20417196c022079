"""Where an experiment is computed: the options `--workers`, `--slurm` and `--minutes` of `memsim run`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Where:
    """Where the points of an experiment are computed; by default one after the other in this process."""

    workers: int | None = None
    """Processes of this machine that share the points."""
    slurm: str | None = None
    """A partition of SLURM: each point is a job there. The folder of `--out` must be seen by its machines."""
    minutes: int = 60
    """The longest that such a job may take."""

    def __post_init__(self):
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"`workers` must be at least 1. Got {self.workers}.")
        if self.minutes < 1:
            raise ValueError(f"`minutes` must be at least 1. Got {self.minutes}.")
        if self.workers is not None and self.slurm is not None:
            raise ValueError(
                f"Points must be computed by `workers` or by `slurm`. Got both, {self.workers} and {self.slurm!r}."
            )
        if self.slurm == "":
            raise ValueError("`slurm` must be the name of a partition. Got none; `sinfo` shows them.")

    @contextmanager
    def used(self, out: Path) -> Iterator[None]:
        """Within the block, sweeps are computed there; says so where there was none."""
        from ..study import using
        from ..study._executors import Counted, processes, slurm

        if self.workers is None and self.slurm is None:
            yield
            return
        if self.slurm is not None:
            executor = Counted(slurm(self.slurm, self.minutes, out / "slurm"))
            with using(executor):
                yield
        else:
            _tell_of_cores(self.workers or 1)
            with processes(self.workers or 1) as pool:
                executor = Counted(pool)
                with using(executor):
                    yield
        if not executor.submitted:
            print("memsim: this experiment has no points for others, and ran in this process.", file=sys.stderr)


def _tell_of_cores(workers: int) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers > cores:
        print(f"memsim: {workers} workers share {cores} cores; more than {cores} gain nothing.", file=sys.stderr)
