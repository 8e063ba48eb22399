"""When so much fails that going on is no use: a batch stops while what failed can still be mended.

Knows counts of tiles. Refuses to know why they failed and where they are.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from groundproof.errors import TooManyFailedError
from groundproof.run import RunDirectory
from groundproof.runners.stages import Asked, Observer
from groundproof.tables import FAILED, TileStatus
from groundproof.trace import Event

LOOK_EVERY_S = 0.2


class FailureLimit:
    """An `Observer` in front of another: `check` raises TooManyFailedError once more tiles failed than the run allows.

    batches: those that are asked now. Failures count when their batch is kept, so that none is missing in the list.
    """

    def __init__(self, observer: Observer, run: RunDirectory, batches: Collection[int]) -> None:
        self._observer = observer
        self._run = run
        self._planned = run.totals.tiles
        self._allowed = run.config.max_failed * self._planned
        asked = set(batches)
        lines = run.progress()
        self._before = sum(line.failed for line in lines if line.batch not in asked)
        self._old = {(line.batch, line.mtime_ns) for line in lines}
        self._told = self._before
        self._looked = 0.0

    def check(self) -> None:
        """Passed on, then the count is looked at."""
        self._observer.check()
        if self._told > self._allowed and time.monotonic() - self._looked >= LOOK_EVERY_S:
            self._looked = time.monotonic()
            self.look()

    def look(self) -> None:
        """Raise TooManyFailedError when what is kept holds too many failures."""
        new = (line for line in self._run.progress() if (line.batch, line.mtime_ns) not in self._old)
        failed = self._before + sum(line.failed for line in new)
        if failed > self._allowed:
            raise TooManyFailedError(
                f"Stopped: {failed:,} of {self._planned:,} tiles failed, more than --max-failed "
                f"{self._run.config.max_failed:g} allows ({int(self._allowed):,}). What was answered is kept."
            )

    def event(self, asked: Asked, event: Event) -> None:
        """Passed on."""
        self._observer.event(asked, event)

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        """Counted, and passed on."""
        self._told += status in FAILED
        self._observer.tile_done(asked, status, reason)
