"""One table of a result, row by row against the same table made again: which rows and columns differ.

Knows the tables and what an analyst's review may change in them. Refuses to know where the rows come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isclose
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS = {
    "evidence": ("answer_id", "evidence_id"),
    "answers": ("answer_id",),
    "tiles": ("answer_id", "tile_id"),
    "scenes": ("scene",),
}
"""What names a row."""

REVIEWED = {
    "evidence": frozenset(
        {
            "verdict",
            "review",
            "reviewed_at",
            "box_px",
            "angle_deg",
            "area_m2",
            "width_m",
            "height_m",
            "geometry",
        }
    ),
    "answers": frozenset({"answer", "value", "synthesis", "audit"}),
}
"""Columns that a review changes: of rows that were reviewed, and of all answers where any was."""

REL_TOL = 1e-9
"""Numbers and coordinates that differ by less are the same: another library may round the last bits otherwise."""


@dataclass(slots=True)
class Differences:
    """Of one table. rows: of the file. columns: by column the rows that differ in it. by_review: rows that differ for
    no other reason than a review. missing: rows that were not made again; extra: rows that only were made now."""

    rows: int = 0
    equal: int = 0
    by_review: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)


def compare_table(
    name: str, kept: pd.DataFrame, again: Iterable[pd.DataFrame], *, reviewed: bool
) -> Differences:
    """The differences of a table in a file from the same made again, which comes in chunks.

    reviewed: an analyst reviewed boxes of the file, so its answers may have been made anew.
    """
    found = Differences(rows=len(kept))
    place = {key: row for row, key in enumerate(_keys(name, kept)) if key is not None}
    seen = np.zeros(len(kept), dtype=bool)
    by_hand = kept["review"].notna().to_numpy() if name == "evidence" else np.full(len(kept), reviewed)
    for chunk in again:
        keys = _keys(name, chunk)
        here = [(key, place[key], row) for row, key in enumerate(keys) if key is not None and key in place]
        found.extra += [" ".join(key) for key in keys if key is not None and key not in place]
        mine = kept.iloc[[row for _, row, _ in here]]
        other = chunk.iloc[[row for _, _, row in here]]
        unlike = {column: _unlike(mine[column], other[column]) for column in kept.columns}
        for at, (key, row, _) in enumerate(here):
            seen[row] = True
            columns = [column for column, differs in unlike.items() if differs[at]]
            allowed = REVIEWED.get(name, frozenset()) if by_hand[row] else frozenset()
            if not columns:
                found.equal += 1
            elif set(columns) <= allowed:
                found.by_review += 1
            for column in columns:
                if column not in allowed:
                    found.columns.setdefault(column, []).append(" ".join(key))
    for row in np.flatnonzero(~seen).tolist():
        drawn = name == "evidence" and (
            kept["review"].iloc[row] == "added" or pd.isna(kept["evidence_id"].iloc[row])
        )
        if drawn:
            found.by_review += 1
        else:
            found.missing.append(" ".join(str(kept[column].iloc[row]) for column in KEYS[name]))
    return found


def _keys(name: str, frame: pd.DataFrame) -> list[tuple[str, ...] | None]:
    """None for a row without a name, such as a box drawn by hand."""
    columns = [frame[column].tolist() for column in KEYS[name]]
    return [
        None if any(not isinstance(one, str) for one in key) else key for key in zip(*columns, strict=True)
    ]


def _unlike(one: pd.Series[Any], other: pd.Series[Any]) -> list[bool]:
    if one.name == "geometry":
        return [not _same_shape(a, b) for a, b in zip(one, other, strict=True)]
    return [not _same(a, b) for a, b in zip(one, other, strict=True)]


def _same_shape(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if shapely.equals_identical(one, other):
        return True
    a, b = shapely.get_coordinates(one), shapely.get_coordinates(other)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=REL_TOL, atol=0))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple | np.ndarray) and isinstance(other, list | tuple | np.ndarray):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple | np.ndarray | dict) or isinstance(
        other, list | tuple | np.ndarray | dict
    ):
        return False
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float | np.floating) or isinstance(other, float | np.floating):
        return isclose(one, other, rel_tol=REL_TOL)
    return bool(one == other)
