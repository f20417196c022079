"""A promise that a kind of parts keeps, and a report of which ones a part keeps."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

LONGEST = 300  # characters of what came: messages of jax have pages


class Unasked(Exception):
    """A promise that a part is not held to; its text says why."""


class Promise(NamedTuple):
    """A sentence that can be false, how to ask whether it is, and what to do where it is.

    `ask` returns `None` where the promise is kept, and else what came; it may raise, which breaks it too.
    """

    says: str
    ask: Callable[[Any], str | None]
    do: str


class Finding(NamedTuple):
    """Whether one promise is kept.

    **Arguments:**

    - `promise`: Its name.
    - `says`: What must hold.
    - `kept`: `None` where the part is not held to it.
    - `came`: What came instead, or why it was not asked.
    - `do`: What would mend it.

    >>> import memsim as ms
    >>> print(ms.extend.Finding("no NaN", "conductances are numbers", kept=True, came="", do=""))
    kept    no NaN: conductances are numbers
    """

    promise: str
    says: str
    kept: bool | None
    came: str
    do: str

    def __str__(self) -> str:
        word = {True: "kept", False: "BROKEN", None: "-"}[self.kept]
        head = f"{word:7} {self.promise}: {self.says}"
        if self.kept:
            return head
        return f"{head}\n        {self.came}" + (f"\n        {self.do}" if self.kept is False else "")


class Report(NamedTuple):
    """Which promises a part keeps; true where none is broken.

    **Arguments:**

    - `subject`: What was asked.
    - `findings`: One a promise.

    >>> import device_models as dm
    >>> import memsim as ms
    >>> report = ms.extend.check_device(dm.Ideal(), promises=("near its target", "sources"))
    >>> bool(report), len(report.findings)
    (True, 2)
    """

    subject: str
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the promises that are broken."""
        return tuple(each.promise for each in self.findings if each.kept is False)

    def __bool__(self) -> bool:
        return not self.broken

    def __str__(self) -> str:
        asked = sum(each.kept is not None for each in self.findings)
        last = f"{self.subject} keeps {asked - len(self.broken)} of {asked} promises"
        return "\n".join([*map(str, self.findings), last])


def ask(name: str, promise: Promise, subject: Any) -> Finding:
    """Whether `subject` keeps one promise."""
    try:
        came = promise.ask(subject)
    except Unasked as why:
        return Finding(name, promise.says, None, str(why), "")
    except Exception as error:
        came = f"{type(error).__name__}: {error}"
    if came is None:
        return Finding(name, promise.says, True, "", "")
    return Finding(name, promise.says, False, f"Got {_short(came)}", promise.do)


def ask_all(subject: str, of: Any, promises: Mapping[str, Promise], chosen: Iterable[str] | None = None) -> Report:
    """Which of the `promises`, or of the `chosen` ones, `of` keeps."""
    from .._checks._names import did_you_mean

    names = list(promises if chosen is None else chosen)
    for name in names:
        if name not in promises:
            raise ValueError(did_you_mean("`promises`", name, promises, what="names of promises"))
    return Report(subject, tuple(ask(name, promises[name], of) for name in names))


def _short(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
