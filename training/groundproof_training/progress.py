"""What a long command over many things says while it runs: how many are done, how fast, and how long is left.

Knows numbers and a clock. Refuses to know what is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

EVERY_S = 10.0
"""Between two lines."""


@dataclass(slots=True)
class Progress:
    """say: takes a line. what: the things, in the plural. total: how many there will be; None: not known. every_s:
    between two lines."""

    say: Callable[[str], None]
    what: str
    total: int | None = None
    every_s: float = EVERY_S
    done: int = 0
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._last = self.clock()

    def step(self, number: int = 1, more: str = "") -> None:
        """So many more are done. more: words behind the line, if there is one now."""
        self.done += number
        now = self.clock()
        if now - self._last < self.every_s:
            return
        self._last = now
        rate = self.done / (now - self._began)
        of_total = "" if self.total is None else f" of {self.total:,}"
        left = "" if self.total is None else f", {duration(max(0, self.total - self.done) / rate)} left"
        self.say(f"{self.done:,}{of_total} {self.what}, {rate:,.1f} a second{left}{more}")


def duration(seconds: float) -> str:
    """For people: "40 s", "12 min", "3 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
