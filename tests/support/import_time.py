"""What imports cost beside those of jax and equinox: `make import-time` prints the medians of ten runs in turn."""

import resource
import statistics
import subprocess
import sys
import time

RUNS = 10
YARDSTICK = "import jax, equinox"
PROGRAMS = {
    "import memsim": "import memsim",
    "a crossbar and a cell": "import device_models as dm, memsim as ms; ms.Crossbar, ms.ADC, dm.pcm_joshi2020",
    "what README begins with": (
        "import device_models as dm, memsim as ms; "
        "ms.Crossbar, dm.pcm_joshi2020, ms.nn, ms.train, ms.data, ms.study, ms.plotting"
    ),
    "all public names": (
        "import device_models as dm, memsim as ms; [getattr(room, name) for room in (dm, ms) for name in room.__all__]"
    ),
    "memsim --help": "from memsim._cli import main; main(['--help'])",
}


def seconds(program: str) -> tuple[float, float]:
    """Of the processor and of the clock, for a Python of its own that runs `program`."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
    ended, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - began


def main() -> None:
    print(f"{'':26} {'processor':>10} {'clock':>8}   over {YARDSTICK!r}, by the processor")
    for label, program in PROGRAMS.items():
        seconds(program)  # the first run writes compiled files
        pairs = [(seconds(program), seconds(YARDSTICK)) for _ in range(RUNS)]
        ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in pairs)
        processor, clock = (statistics.median(ours[i] for ours, _ in pairs) for i in range(2))
        print(f"{label:26} {processor:8.2f} s {clock:6.2f} s   {ratio:.2f}")


if __name__ == "__main__":
    main()
