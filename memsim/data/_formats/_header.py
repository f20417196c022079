"""Lines of text at the start of a binary file."""

import re


def header_lines(raw: bytes, mark: bytes, *, end: bytes | None = None) -> tuple[list[str], int]:
    """The lines that begin with `mark`, without it, and the place of the first byte after them.

    A line of text holds no control characters, which tells it from binary data that begins with `mark` by chance.
    The line `end`, where the file has one, is the last.
    """
    line = re.compile(re.escape(mark) + rb"([^\x00-\x08\x0e-\x1f\n]*)\n")
    lines, place = [], 0
    while found := line.match(raw, place):
        place = found.end()
        lines.append(found[1].decode(errors="replace").strip())
        if end is not None and found[1].strip().lower() == end:
            break
    return lines, place


def time_of_zero(lines: list[str]) -> int:
    """Microseconds to add to all times: some tools write when the clock of the file began, as `t0 57`."""
    found = [re.fullmatch(r"t0 (\d+)", line, re.IGNORECASE) for line in lines]
    return next((int(match[1]) for match in found if match), 0)
