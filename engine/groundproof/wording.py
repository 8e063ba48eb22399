"""Small pieces of plain sentences: amounts, lists, ranges of E-numbers and tiles, shares.

Knows how people write numbers of things. Refuses to know tables and models.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from groundproof.labels import plural, with_article

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "amount",
    "amounts",
    "duration",
    "e_list",
    "joined",
    "one_line",
    "share",
    "tile_list",
    "with_article",
]

OBJECT = "object"
"""What a thing is called whose label nobody gave."""

_E_NUMBER = re.compile(r"E([1-9]\d*)")


def amount(n: int, label: str) -> str:
    """ "1 airplane", "17 storage tanks", "0 ships"; an empty label counts objects."""
    noun = label or OBJECT
    return f"{n:,} {noun if n == 1 else plural(noun)}".replace(",", " ")


def amounts(by_label: Sequence[tuple[str, int]]) -> str:
    """ "3 airplanes and 2 ships", in the order given."""
    return joined([amount(n, label) for label, n in by_label])


def joined(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"; "" of nothing."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def e_list(ids: Iterable[str]) -> str:
    """Evidence ids with runs of three or more compressed: "E1 to E17, E20 and E22".

    Sorted by number; ids that are not E-numbers follow as they are, sorted by text.
    """
    seen = set(ids)
    matches = {one: _E_NUMBER.fullmatch(one) for one in seen}
    numbers = sorted(int(m[1]) for m in matches.values() if m)
    others = sorted(one for one, m in matches.items() if not m)
    return joined([*_runs(numbers, "E"), *others])


def tile_list(numbers: Iterable[int]) -> str:
    """Tile numbers as people read them: "tile 3", "tiles 1 to 4 and 7"; "" of nothing."""
    ordered = sorted(set(numbers))
    if not ordered:
        return ""
    return f"{'tile' if len(ordered) == 1 else 'tiles'} {joined(_runs(ordered, ''))}"


def one_line(text: str, limit: int = 200) -> str:
    """`text` with its white space collapsed, cut to `limit` characters (the cut is shown)."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: max(limit - 1, 0)].rstrip() + "…"


def share(part: float) -> str:
    """A share of 0..1 in whole percent; never "0 %" of something nor "100 %" of a part."""
    percent = round(100 * part)
    if part > 0 and percent == 0:
        return "under 1 %"
    if part < 1 and percent == 100:
        return "over 99 %"
    return f"{percent} %"


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3.5 h"; never "0 s" of something."""
    if seconds < 90:
        return "1 s" if 0 < seconds < 1 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _runs(numbers: Sequence[int], prefix: str) -> list[str]:
    """Sorted distinct numbers, runs of three or more written "a to b"."""
    words: list[str] = []
    start = 0
    for i in range(1, len(numbers) + 1):
        if i < len(numbers) and numbers[i] == numbers[i - 1] + 1:
            continue
        run = numbers[start:i]
        if len(run) >= 3:
            words.append(f"{prefix}{run[0]} to {prefix}{run[-1]}")
        else:
            words.extend(f"{prefix}{n}" for n in run)
        start = i
    return words
