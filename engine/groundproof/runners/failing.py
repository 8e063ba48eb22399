"""When so much fails that going on is no use: a batch stops while what failed can still be mended.

Knows counts of tiles. Refuses to know why they failed and where they are.
"""

from __future__ import annotations

from groundproof.errors import TooManyFailedError
from groundproof.runners.local import Asked, Observer
from groundproof.tables import FAILED, TileStatus
from groundproof.trace import Event


class FailureLimit:
    """An `Observer` in front of another: `check` raises TooManyFailedError once more tiles failed than allowed.

    planned: tiles of the run. failed: those that failed before and are not tried again now. share: of the planned
    tiles that may fail, 0..1.
    """

    def __init__(self, observer: Observer, *, planned: int, failed: int, share: float) -> None:
        self._observer = observer
        self._planned = planned
        self._failed = failed
        self._share = share

    def check(self) -> None:
        """Passed on, then the count is looked at."""
        self._observer.check()
        if self._failed > self._share * self._planned:
            raise TooManyFailedError(
                f"Stopped: {self._failed:,} of {self._planned:,} tiles failed, more than --max-failed "
                f"{self._share:g} allows ({int(self._share * self._planned):,}). What was answered is kept."
            )

    def event(self, asked: Asked, event: Event) -> None:
        """Passed on."""
        self._observer.event(asked, event)

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        """Counted, and passed on."""
        self._failed += status in FAILED
        self._observer.tile_done(asked, status, reason)
