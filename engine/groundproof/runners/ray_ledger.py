"""What the workers of a job report: batches kept, workers lost and over what, why the job must end.

Knows counts and ids. Refuses to know Ray (a job keeps one ledger as an actor) and files: a ledger that is lost with
its machine costs a batch that is done twice, part files stay the proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from groundproof.runners.stages import Asked
from groundproof.tables import TileStatus

MOST_ALONE = 2
"""Workers a batch may take with it while it is the only one in hand; the one before, which made it a suspect, was lost
over several batches. So a tile that kills whatever looks at it costs three workers."""

MOST_BARREN = 3
"""Workers that may be lost one after the other, for each worker of the job and once more, without one batch kept."""

LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """One tile that has its row; see `Observer.tile_done`."""

    asked: Asked
    status: TileStatus
    reason: str | None


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is to do with a shard. kept: its batches that need no more work."""

    kept: frozenset[int]
    stop: str | None
    """Why the job ends; nothing more is to be done."""
    again: bool
    """A worker was lost over this shard before."""
    given_up: dict[int, str]
    """Batches not to be asked any more, and why."""


class Ledger:
    """One job's. Every method may be called again with the same words, by a worker that took another's place."""

    def __init__(self, workers: int) -> None:
        self._most_barren = MOST_BARREN * (workers + 1)
        self._workers = workers
        self._hand: dict[int, int | None] = {}
        """Shards begun and not ended; the batch that is in hand alone, if one is."""
        self._alone: dict[int, int] = {}
        """Workers lost over a batch that was in hand alone."""
        self._kept: set[int] = set()
        self._told: list[Told] = []
        self._workers_seen: dict[str, Any] = {}
        self._opening: set[str] = set()
        self._opened = False
        self._barren = 0
        self._words: dict[int, str] = {}
        """The last words of a worker whose model died, by shard."""
        self._why: dict[int, str] = {}
        """The same, by the batch that was in hand alone."""
        self._last_words = ""
        self._stop: str | None = None
        self._error: tuple[str, str] | None = None

    def opening(self, worker: str, handle: Any = None) -> str | None:
        """A worker loads its model. handle: how to end it. Returns why it need not load, if the job is over."""
        self._workers_seen[worker] = handle
        if worker in self._opening:
            self._lost()
        self._opening.add(worker)
        return self._stop

    def opened(self, worker: str) -> None:
        """It has it."""
        self._opening.discard(worker)
        self._opened = True

    def cannot_open(self, worker: str, reason: str) -> float | None:
        """It could not. Returns the seconds after which a fresh worker may try; None: no worker ever could, stop."""
        if not self._opened:
            return None
        return self._wait(reason)

    def begin(self, shard: int, batches: Iterable[int]) -> Orders:
        """A worker takes up a shard; one that was begun and not ended has cost another its life."""
        again = shard in self._hand
        if again:
            alone, words = self._hand[shard], self._words.pop(shard, "")
            if alone is not None and alone not in self._kept:
                self._alone[alone] = self._alone.get(alone, 0) + 1
                self._why[alone] = words
            self._lost()
        self._hand[shard] = None
        of_shard = frozenset(batches)
        given_up = {
            batch: f"{count + 1} workers died over this batch{_said(self._why[batch])}"
            for batch, count in self._alone.items()
            if batch in of_shard and count >= MOST_ALONE
        }
        return Orders(of_shard & self._kept, self._stop, again, given_up)

    def hold(self, shard: int, batch: int | None) -> None:
        """From now on this batch of the shard is in hand alone; None: several are."""
        self._hand[shard] = batch

    def kept(self, batch: int, tiles: list[Told], *, answered: bool) -> None:
        """A batch has its part file. answered: by the model, not given up."""
        if batch not in self._kept:
            self._kept.add(batch)
            self._told += tiles
        if answered:
            self._alone.pop(batch, None)
            self._barren = 0

    def ended(self, shard: int) -> None:
        """All batches of a shard are kept."""
        self._hand.pop(shard, None)

    def dying(self, shard: int, reason: str) -> float:
        """The model died over a shard, and its worker will end itself. Returns the seconds to wait before that."""
        self._words[shard] = reason
        return self._wait(reason)

    def fail(self, kind: str, sentence: str) -> None:
        """Something ends the job. kind: a class of `errors`. The first one counts."""
        self._error = self._error or (kind, sentence)
        self._stop = self._stop or sentence

    def halt(self) -> None:
        """Somebody stops the job."""
        self._stop = self._stop or "stopped"

    def handles(self) -> list[Any]:
        """Of all workers there were."""
        return list(self._workers_seen.values())

    def stopping(self) -> bool:
        """Whether it is over."""
        return self._stop is not None

    def tell(self) -> list[Told]:
        """What was kept since this was asked last."""
        told, self._told = self._told, []
        return told

    def error(self) -> tuple[str, str] | None:
        """What ended the job: a class of `errors` and a sentence."""
        return self._error

    def _wait(self, reason: str) -> float:
        self._last_words = reason
        return min(LONGEST_WAIT_S, float(2 ** (self._barren // self._workers)) - 1)

    def _lost(self) -> None:
        self._barren += 1
        if self._barren >= self._most_barren:
            self.fail(
                "ModelError",
                f"{self._barren} workers died one after the other without answering one batch"
                f"{_said(self._last_words)}. What was "
                "answered is kept; mend it (is there enough memory for the model?) and resume.",
            )


def _said(words: str) -> str:
    return f" (the last one said: {words})" if words else ""
