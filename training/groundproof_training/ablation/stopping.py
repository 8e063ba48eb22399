"""Requests to stop that a trainer does not see: before and after its steps, and in its last one.

A trainer takes SIGINT and SIGTERM for itself while it runs, and ends after the step. Refuses to know cells.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from groundproof_training.tuning.run import Interrupted


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """SIGTERM is KeyboardInterrupt, as Ctrl+C is, wherever no trainer has taken it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def late_requests() -> Iterator[None]:
    """Raises Interrupted behind a block that went on to its end although it was asked to stop.

    A trainer that is asked in its last step finishes, which is right for a command of its own; here the next cell would
    begin, and nobody would know of the request any more. Whoever handles a signal, its number is written to the wakeup
    descriptor. Main thread only, as all handling of signals.
    """
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
        asked = _asked(reader)
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
    if asked:
        raise Interrupted("stopped after the last step; the model is finished and kept")


def _asked(reader: int) -> bool:
    try:
        came = os.read(reader, 4096)
    except BlockingIOError:
        return False
    return signal.SIGINT in came or signal.SIGTERM in came
