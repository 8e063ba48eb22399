"""Answers that are words, not boxes: classes by area, captions, and what tiles say each.

Knows the values and texts of tiles. Refuses to know evidence: nothing here is counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from groundproof.wording import joined, one_line, share, tile_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from groundproof.findings import TileReply

MAX_TEXTS = 10
"""Different tile answers written out; the rest are numbered (all are in the tiles table)."""

_SEVERAL = re.compile(r"\s*[,;\n]\s*(?:and\s+)?")
_EDGES = " \t\n.\"'`*"


def classes(replies: Sequence[TileReply]) -> tuple[str, str | list[str] | None, str]:
    """Answer, value and reason of a classification.

    One class a tile: share of the valid area for each class, value the largest. Tiles that overlap count
    their overlap twice: the shares are of tiles' areas. Several classes in any tile's answer (separated by
    commas): the union, with the number of tiles that name each, value the list. Ties by name.
    """
    named = [(reply, _names(reply)) for reply in replies]
    named = [(reply, names) for reply, names in named if names]
    if not named:
        return "no class was named", None, "No tile's text names a class."
    spelling = {name.casefold(): name for _, names in reversed(named) for name in reversed(names)}
    tiles: dict[str, list[int]] = {}
    area: dict[str, float] = {}
    for reply, names in named:
        for key in {name.casefold() for name in names}:
            tiles.setdefault(key, []).append(reply.number)
            area[key] = area.get(key, 0.0) + reply.valid_px
    if any(len(names) > 1 for _, names in named):
        order = sorted(tiles, key=lambda key: (-len(tiles[key]), key))
        value = [spelling[key] for key in order]
        if len(named) == 1:
            return ", ".join(value), value, ""
        words = [f"{spelling[key]} ({len(tiles[key])} of {len(named)} tiles)" for key in order]
        return joined(words), value, _by_tile(spelling, tiles, order)
    order = sorted(area, key=lambda key: (-area[key], key))
    best = spelling[order[0]]
    if len(order) == 1:
        return best, best, f"All {len(named)} tiles are {best}." if len(named) > 1 else ""
    total = sum(area.values())
    shares = [share(area[key] / total) if total else f"{len(tiles[key])} tiles" for key in order]
    words = [f"{spelling[key]} ({part})" for key, part in zip(order, shares, strict=True)]
    words[0] = f"{best} ({shares[0]} of the valid area)" if total else words[0]
    return joined(words), best, _by_tile(spelling, tiles, order)


def listed(replies: Sequence[TileReply]) -> tuple[str, Any, str]:
    """Answer, value and reason where every tile speaks for itself: each different answer, with its tiles.

    One tile, or all of one mind: that answer and its value. Else the value is the list of answers.
    """
    groups: dict[str, list[TileReply]] = {}
    for reply in replies:
        words, _ = spoken(reply)
        if words:
            groups.setdefault(words.casefold(), []).append(reply)
    if not groups:
        return "the text gives no answer", None, ""
    if len(groups) == 1:
        same = next(iter(groups.values()))
        answer, value = spoken(same[0])
        return answer, value, f"So say {tile_list(r.number for r in same)}." if len(same) > 1 else ""
    ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0].number))
    lines = [f"{tile_list(r.number for r in group)}: {spoken(group[0])[0]}" for group in ordered[:MAX_TEXTS]]
    rest = [reply.number for group in ordered[MAX_TEXTS:] for reply in group]
    if rest:
        lines.append(f"{tile_list(rest)}: {len(ordered) - MAX_TEXTS} other answers")
    return "; ".join(lines), [spoken(group[0])[0] for group in ordered], "The tiles answer differently."


def spoken(reply: TileReply) -> tuple[str, Any]:
    """What one text answers, and its value; the synthesis stands in for an answer that was left out."""
    if reply.said is None:
        return "", None
    words = one_line(reply.said.answer or reply.said.synthesis, 4000)
    if not words and reply.said.value is not None:
        words = str(reply.said.value)
    return words, reply.said.value if reply.said.value is not None else words or None


def tiles_that_say(replies: Iterable[TileReply], claims: Callable[[Any], bool]) -> str:
    """ "the text of tiles 3 and 4 says 6": tiles whose value `claims` picks; "" when there is none."""
    said = [(r.number, r.said.value) for r in replies if r.said is not None and claims(r.said.value)]
    if not said:
        return ""
    values = list(dict.fromkeys("yes" if value is True else str(value) for _, value in said))
    return f"the text of {tile_list(number for number, _ in said)} says {joined(values[:3])}"


def _names(reply: TileReply) -> list[str]:
    if reply.said is None:
        return []
    value = reply.said.value
    text = value if isinstance(value, str) else reply.said.answer
    names = (name.strip(_EDGES) for name in _SEVERAL.split(text))
    return list({name.casefold(): name for name in names if name}.values())


def _by_tile(spelling: dict[str, str], tiles: dict[str, list[int]], order: Sequence[str]) -> str:
    return "; ".join(f"{spelling[key]}: {tile_list(tiles[key])}" for key in order) + "."
