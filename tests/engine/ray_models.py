"""Stand-in models for the workers of a Ray job: importable there, and they leave a line of what they were asked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator, Iterable
from pathlib import Path

from groundproof.errors import ModelError
from groundproof.models.base import Piece, Request

from .square_finder import SquareFinder


class LoggedFinder(SquareFinder):
    """Appends "PID SEQ" to a file of its own in `log` for every tile it is asked.

    pause_s: before each answer. kills: rows (`seq`) that end the process, as the kernel does where memory ends.
    breaks: rows over which the model dies, once for each; "for good": always.
    """

    def __init__(
        self,
        log: Path,
        *,
        pause_s: float = 0.0,
        kills: tuple[int, ...] = (),
        breaks: tuple[int, ...] = (),
        for_good: bool = False,
    ) -> None:
        super().__init__(max_in_flight=4)
        self.log = log / f"{os.getpid()}.txt"
        self.pause_s = pause_s
        self.kills = kills
        self.breaks = breaks
        self.for_good = for_good

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        for request in requests:
            seq = int(request.request_id)
            with self.log.open("a") as log:
                log.write(f"{os.getpid()} {seq}\n")
            time.sleep(self.pause_s)
            if seq in self.kills:
                os.kill(os.getpid(), signal.SIGKILL)
            once = self.log.parent / f"broke-{seq}"
            if seq in self.breaks and (self.for_good or not once.exists()):
                once.touch()
                raise ModelError("CUDA error: an illegal memory access was encountered")
            yield from super().generate(iter([request]))


def logged(
    model: str,
    *,
    log: Path,
    pause_s: float = 0.0,
    kills: tuple[int, ...] = (),
    breaks: tuple[int, ...] = (),
    for_good: bool = False,
) -> LoggedFinder:
    return LoggedFinder(log, pause_s=pause_s, kills=kills, breaks=breaks, for_good=for_good)


def finder(model: str) -> SquareFinder:
    return SquareFinder()


def another(model: str) -> SquareFinder:
    """What a machine with other weights opens."""
    found = SquareFinder()
    found.identity = "circle-finder"
    return found


def unloadable(model: str) -> SquareFinder:
    raise ModelError(f"The weights of {model} are not on this machine.")


def asked(log: Path) -> list[int]:
    """The `seq` of every tile that any worker was asked, repetitions included."""
    return [int(line.split()[1]) for path in log.glob("*.txt") for line in path.read_text().splitlines()]


def workers(log: Path) -> set[int]:
    """Process ids of those who were asked anything."""
    return {int(path.stem) for path in log.glob("*.txt")}
