"""Processes that work on a run until they are done or killed.

`python -m tests.engine.killed` imports everything once, then forks a process for every line RUN TAB SIDE_FILE TAB
MODEL that it is told. That process says its id when the model is there and the first batch is about to be read, and
writes the seq of every request that reaches the model into SIDE_FILE, one a line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from groundproof.listening import Unobserved
from groundproof.models.base import Piece, Request, VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.run import RunDirectory
from groundproof.runners.local import run_tiles
from groundproof.sources import Sources

from .square_finder import SquareFinder

TILE_S = 0.005
"""What the stand-in takes for a tile, so that kills find it at work."""


class Counted:
    """A model whose requests are written down."""

    def __init__(self, model: VisionLanguageModel, side: Path, pause_s: float = TILE_S) -> None:
        self._model = model
        self._side = os.open(side, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._pause_s = pause_s
        self.profile, self.identity = model.profile, model.identity
        self.max_in_flight = model.max_in_flight
        self.constrains, self.continuous = model.constrains, model.continuous

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        return self._model.generate(self._counted(requests))

    def _counted(self, requests: Iterable[Request]) -> Iterator[Request]:
        for request in requests:
            os.write(self._side, f"{request.request_id}\n".encode())
            time.sleep(self._pause_s)
            yield request

    def close(self) -> None:
        self._model.close()


def work(run: RunDirectory, model: VisionLanguageModel) -> None:
    """What is left of the run."""
    with run.lock():
        run_tiles(run, model, Sources(run), Unobserved(), run.pending())


def model_named(name: str) -> VisionLanguageModel:
    return open_model("tiny") if name == "tiny" else SquareFinder()


class Workers:
    """Starts processes and kills them. A context manager."""

    def __enter__(self) -> Workers:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.killed"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._parent.communicate()

    def kill(self, run: Path, side: Path, after_s: float, name: str = "") -> bool:
        """Start a process on the run and kill -9 it so long after it began; False when it was done before."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(f"{run}\t{side}\t{name}\n")
        process = int(self._parent.stdout.readline())
        time.sleep(after_s)
        os.kill(
            process, signal.SIGKILL
        )  # a process that ended is there until its parent, told so below, waits
        self._parent.stdin.write("\n")
        return self._parent.stdout.readline() == f"{-signal.SIGKILL}\n"


def begin(run: str, side: str, name: str) -> None:
    model = Counted(model_named(name), Path(side), 0.0 if name else TILE_S)
    opened = RunDirectory.open(Path(run))
    print(os.getpid(), flush=True)
    work(opened, model)


def main() -> None:
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            begin(*line.rstrip("\n").split("\t"))
            os._exit(0)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
