"""An analyst's decisions as a client sends them, written into a result's evidence.

Knows their JSON and the rows they are about. Refuses to know what they do to numbers, counts and answers
(`groundproof.audit` does that).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from groundproof.audit.review import put
from groundproof.errors import NotFoundError
from groundproof.labels import normalise
from groundproof.service.jobs.polygons import PolygonDocument
from groundproof.service.jobs.store import timestamp
from groundproof.tables import Result

MAX_DECISIONS = 100_000
"""Decisions of one review, and boxes added by it."""

EvidenceName = Annotated[str, StringConstraints(pattern=r"^([^:]{1,64}:)?E[0-9]{1,9}$")]
"""E3, or A2:E3 where a result has several answers."""

Label = Annotated[str, StringConstraints(max_length=200)]


class Adjusted(BaseModel):
    """A box that is there, and lies otherwise than the model said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    review: Literal["adjusted"]
    geometry: PolygonDocument = Field(
        description="Where it is. `box_px` and the sizes follow it, upright in the scene's pixels."
    )
    label: Label | None = Field(default=None, description="What it is, where the model named it otherwise.")


class Added(BaseModel):
    """An object that the model missed. It gets the next E-number of its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer_id: str | None = Field(
        default=None, max_length=64, description="To which answer it belongs; needed where there are several."
    )
    geometry: PolygonDocument
    label: Label = Field(default="", description="What it is; the empty text is anything.")
    quote: str = Field(default="", max_length=2000, description="Why it is there.")


def _kind_of(decision: Any) -> str:
    return "word" if isinstance(decision, str) else "box"


Decision = Annotated[
    Annotated[Literal["accepted", "rejected"], Tag("word")] | Annotated[Adjusted, Tag("box")],
    Discriminator(_kind_of),
]

Review = Annotated[
    dict[EvidenceName, Decision],
    Field(
        max_length=MAX_DECISIONS,
        description="What the analyst decided, by E-number (A2:E3 where the result has several answers): accepted, "
        "rejected, or an object with the polygon that the box should have.",
        examples=[{"E3": "rejected", "E4": "accepted"}],
    ),
]

AddedBoxes = Annotated[
    list[Added], Field(max_length=MAX_DECISIONS, description="Objects that the model missed, in any number.")
]


def with_review(result: Result, review: Mapping[str, str | Adjusted], added: Sequence[Added] = ()) -> Result:
    """The result with decisions written into its evidence, added boxes as its last rows, in their order.

    What they mean for numbers, counts and answers is not carried out yet: `audit.reaudit` does.

    review: by E-number, or by ANSWER:E-number. Raises NotFoundError for evidence or an answer that the result
    does not have, and for a bare E-number that several answers have.
    """
    if not review and not added:
        return result
    evidence = result.evidence.copy()
    evidence[["review", "reviewed_at", "label"]] = evidence[["review", "reviewed_at", "label"]].astype(object)
    now = timestamp()
    find = _Finder(evidence)
    for name, decision in review.items():
        row = find(name)
        put(evidence, row, "reviewed_at", now)
        if isinstance(decision, str):
            put(evidence, row, "review", decision)
            continue
        by_hand = evidence["review"].iloc[row] == "added"  # still nothing the model said
        put(evidence, row, "review", "added" if by_hand else decision.review)
        put(evidence, row, "geometry", decision.geometry.shape())
        if decision.label is not None:
            put(evidence, row, "label", _label(decision.label))
    if added:
        answers = [str(answer_id) for answer_id in result.answers["answer_id"]]
        rows = [_row(box, answers, now) for box in added]
        evidence = _appended(evidence, rows)
    return replace(result, evidence=evidence)


class _Finder:
    """Rows of the evidence table by the names that clients give them."""

    def __init__(self, evidence: pd.DataFrame) -> None:
        self._count = len(evidence)
        self._by_number: dict[str, list[tuple[str, int]]] = {}
        names = zip(evidence["evidence_id"], evidence["answer_id"], strict=True)
        for row, (evidence_id, answer_id) in enumerate(names):
            self._by_number.setdefault(str(evidence_id), []).append((str(answer_id), row))

    def __call__(self, name: str) -> int:
        answer_id, _, evidence_id = name.rpartition(":")
        found = [
            (answer, row) for answer, row in self._by_number.get(evidence_id, ()) if answer_id in ("", answer)
        ]
        if not found:
            raise NotFoundError(f"The result has no evidence {name}; it has {self._count} boxes.")
        if len(found) > 1:
            several = ", ".join(f"{answer}:{evidence_id}" for answer, _ in found[:10])
            raise NotFoundError(f"{len(found)} answers have evidence {name}. Say which: {several}.")
        return found[0][1]


def _row(box: Added, answers: list[str], now: str) -> dict[str, Any]:
    known = ", ".join(answers[:10])
    if box.answer_id is None and len(answers) != 1:
        raise NotFoundError(
            f"The result has {len(answers)} answers, so an added box must say to which it belongs. Give its answer_id: "
            f"{known}."
        )
    if box.answer_id is not None and box.answer_id not in answers:
        raise NotFoundError(f"The result has no answer {box.answer_id!r}; it has {known}.")
    return {
        "answer_id": box.answer_id or answers[0],
        "role": "evidence",
        "label": _label(box.label),
        "label_raw": box.label,
        "quote": box.quote,
        "review": "added",
        "reviewed_at": now,
        "geometry": box.geometry.shape(),
    }


def _label(text: str) -> str:
    """Spelled as the rest of the column is; a word that names nothing in particular stays as it was typed."""
    return normalise(text) or text.strip().lower()


def _appended(evidence: gpd.GeoDataFrame, rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """The table with more rows; cells that they do not have are missing, as files hold them."""
    columns: dict[str, Any] = {}
    for name in evidence.columns:
        new = [row.get(name) for row in rows]
        old = evidence[name]
        if name == "geometry":
            columns[name] = np.concatenate([np.asarray(old.array, dtype=object), np.array(new, dtype=object)])
        elif pd.api.types.is_float_dtype(old.dtype):
            columns[name] = np.concatenate(
                [old.to_numpy(np.float64, na_value=np.nan), np.full(len(new), np.nan)]
            )
        elif pd.api.types.is_integer_dtype(old.dtype):
            columns[name] = pd.array([*old.array, *new], dtype="Int64")
        else:
            columns[name] = pd.Series([*old, *new], dtype=object)
    shapes = gpd.GeoSeries(columns.pop("geometry"), crs=evidence.crs)
    return gpd.GeoDataFrame(columns, geometry=shapes)[list(evidence.columns)]


def changed_rows(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> list[int]:
    """Positions of the rows of an evidence table that differ from an earlier state of it, or are new.

    Rows stay in their order and new ones come last, as `with_review` and `audit.reaudit` leave them.
    """
    both = len(before)
    differs = np.ones(len(after), dtype=bool)
    differs[:both] = False
    for name in before.columns:
        if name == "geometry":
            same = shapely.equals_exact(
                np.asarray(before.geometry.array, dtype=object),
                np.asarray(after.geometry.array[:both], dtype=object),
            )
            same |= np.asarray(before.geometry.isna()) & np.asarray(after.geometry[:both].isna())
        else:
            pairs = zip(before[name], after[name].iloc[:both], strict=True)
            same = np.fromiter((_same(a, b) for a, b in pairs), dtype=bool, count=both)
        differs[:both] |= ~same
    return [int(row) for row in np.flatnonzero(differs)]


def _same(a: Any, b: Any) -> bool:
    """Whether two cells hold the same; all kinds of missing are one."""
    missing = [v is None or v is pd.NA or (isinstance(v, float) and v != v) for v in (a, b)]
    return all(missing) if any(missing) else bool(a == b)
