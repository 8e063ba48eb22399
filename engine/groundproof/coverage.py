"""How much of the area was looked at, and why the rest was not: numbers and one sentence.

Knows the status of tiles. Refuses to know what was found: a tile that was never looked at can never read
as "nothing there", so every answer carries this and no answer is made without it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from groundproof.tables import FAILED, TileStatus
from groundproof.wording import joined, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

LOOKED_AT = frozenset({TileStatus.OK, TileStatus.EMPTY})

NOT_ASKED = "not asked"
"""Status shown for planned tiles that have none yet: the run ended before their turn."""

_WORDS = {
    TileStatus.PARSE_ERROR: ("unreadable answer", "unreadable answers"),
    TileStatus.READ_ERROR: ("read error", "read errors"),
    TileStatus.ENGINE_ERROR: ("model error", "model errors"),
    NOT_ASKED: ("not asked yet", "not asked yet"),
}

_MAX_REASON = 160


def coverage(tiles: pd.DataFrame, valid_share: float | None = None) -> dict[str, Any]:
    """The `coverage` column of one answer, from its rows of the tiles table.

    tiles: needs `window_px`, `status`, `text` (for failures: why); one row for every planned tile, a NULL
    status for one that was not asked yet. valid_share: share of the area's pixels that hold data, 0..1;
    None when not known. Returns {looked_at, tiles, skipped, failed, valid_share, sentence, failures:
    [{window_px, status, reason}]}; looked_at + skipped + failed == tiles, tiles not asked yet are failed.
    Raises ValueError for a status that is none of `TileStatus`.
    """
    tally = Tally()
    tally.add(tiles)
    return tally.coverage(valid_share)


class Tally:
    """The coverage of one answer whose tiles come in parts."""

    def __init__(self) -> None:
        self._looked_at = self._skipped = self._tiles = 0
        self._failures: list[dict[str, Any]] = []

    def add(self, tiles: pd.DataFrame) -> None:
        """Some more tiles, as for `coverage`. Raises ValueError."""
        for status, window, text in zip(tiles["status"], tiles["window_px"], tiles["text"], strict=True):
            known = TileStatus(status) if isinstance(status, str) else None
            self._tiles += 1
            self._looked_at += known in LOOKED_AT
            self._skipped += known is TileStatus.SKIPPED
            if known is None or known in FAILED:
                self._failures.append(
                    {
                        "window_px": list(window),
                        "status": NOT_ASKED if known is None else str(known),
                        "reason": _reason(known, text),
                    }
                )

    def coverage(self, valid_share: float | None = None) -> dict[str, Any]:
        """What `coverage` gives, of all tiles added. Raises ValueError for a share that is none."""
        if valid_share is not None and not 0 <= valid_share <= 1:
            raise ValueError(f"valid_share must lie in 0..1, got {valid_share}")
        return {
            "looked_at": self._looked_at,
            "tiles": self._tiles,
            "skipped": self._skipped,
            "failed": len(self._failures),
            "valid_share": valid_share,
            "sentence": _sentence(self._looked_at, self._tiles, self._skipped, self._failures),
            "failures": self._failures,
        }


def is_complete(cover: Mapping[str, Any]) -> bool:
    """Every tile that holds data was looked at."""
    return bool(cover["failed"] == 0 and cover["looked_at"] > 0)


def where_looked(cover: Mapping[str, Any]) -> str:
    """Where an answer holds: " in the 62 of 64 tiles looked at"; "" when all tiles with data were."""
    if is_complete(cover):
        return ""
    return f" in the {cover['looked_at']} of {cover['tiles']} tiles looked at"


def _sentence(looked_at: int, total: int, skipped: int, failures: list[dict[str, Any]]) -> str:
    if total == 0:
        return "looked at no tile: none was planned"
    parts = [f"looked at {looked_at} of {total} {'tile' if total == 1 else 'tiles'}"]
    if skipped:
        parts.append(f"{skipped} {'holds' if skipped == 1 else 'hold'} no data")
    if failures:
        parts.append(f"{len(failures)} failed: {_failures(failures)}")
    return "; ".join(parts)


def _failures(failures: list[dict[str, Any]]) -> str:
    """ "read error (network drive)"; several kinds with their numbers, each with its most frequent reason."""
    by_status: dict[str, Counter[str]] = {}
    for failure in failures:
        by_status.setdefault(failure["status"], Counter())[failure["reason"]] += 1
    words = []
    for status, reasons in by_status.items():
        n, one_kind = reasons.total(), len(by_status) == 1
        one, many = _WORDS[status]
        reason, frequency = max(reasons.items(), key=lambda item: (item[1], item[0]))
        others = f" and {n - frequency} other" if len(reasons) > 1 else ""
        words.append(f"{'' if one_kind else f'{n} '}{one if one_kind or n == 1 else many} ({reason}{others})")
    return joined(words)


def _reason(status: TileStatus | None, text: object) -> str:
    said = one_line(text, _MAX_REASON) if isinstance(text, str) else ""
    if status is None:
        return "the run ended before its turn"
    if status is TileStatus.PARSE_ERROR:
        return f'no answer or box in "{one_line(said, 60)}"' if said else "the model wrote nothing"
    return said or "no reason was recorded"
