"""A saved review as the engine takes it: decisions by number, boxes drawn by hand, or the whole result.

Knows the saved rows and the inputs of the engine's processes. Refuses to know QGIS and HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from groundproof_qgis.answer.evidence import number_of
from groundproof_qgis.layers.tables import TABLES, Row, Tables


@dataclass(frozen=True)
class ReviewState:
    """A review of a result that the engine has.

    review: by E-number, or ANSWER:E-number with several answers. added, drawn: boxes drawn by hand as the engine takes
    them, and their feature ids in the file, in the same order. known: feature ids of the engine's own boxes by
    (answer_id, evidence_id).
    """

    review: dict[str, Any] = field(hash=False)
    added: tuple[dict[str, Any], ...] = field(hash=False)
    drawn: tuple[int, ...]
    known: dict[tuple[str, str], int] = field(hash=False)

    @property
    def is_empty(self) -> bool:
        """Nobody decided anything."""
        return not self.review and not self.added


def is_drawn(row: Row) -> bool:
    """Whether a person drew the box: no tile saw it."""
    return not row.get("tile_ids") and not row.get("parents")


def review_state(tables: Tables) -> ReviewState:
    """The review in a saved result's evidence. Boxes that were drawn and then rejected were never there."""
    several = len(tables.answers) > 1
    review: dict[str, Any] = {}
    known: dict[tuple[str, str], int] = {}
    drawn: list[Row] = []
    for row in tables.evidence:
        if is_drawn(row):
            if row["review"] != "rejected":
                drawn.append(row)
            continue
        known[row["answer_id"], row["evidence_id"]] = row["fid"]
        if row["review"]:
            name = f"{row['answer_id']}:{row['evidence_id']}" if several else row["evidence_id"]
            review[name] = _decision(row)
    drawn.sort(key=lambda row: (str(row["answer_id"]), number_of(row["evidence_id"])))
    added = tuple(_added(row, several) for row in drawn)
    return ReviewState(review, added, tuple(row["fid"] for row in drawn), known)


def import_inputs(tables: Tables) -> dict[str, Any]:
    """Inputs of the process `import`: the whole result, for an engine that does not have it."""
    rows = {name: [_plain(row) for row in getattr(tables, name)] for name in TABLES}
    return {"crs": tables.crs, "tables": rows, "metadata": tables.metadata}


def audit_inputs(job_id: str, state: ReviewState) -> dict[str, Any]:
    """Inputs of the process `audit`."""
    return {"job": job_id, "review": state.review, "added": list(state.added)}


def _decision(row: Row) -> Any:
    if row["review"] not in ("adjusted", "added"):
        return row["review"]
    return {"review": "adjusted", "geometry": row["geometry"], "label": row["label"] or ""}


def _added(row: Row, several: bool) -> dict[str, Any]:
    box = {"geometry": row["geometry"], "label": row["label"] or "", "quote": row["quote"] or ""}
    return {**box, "answer_id": row["answer_id"]} if several else box


def _plain(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "fid"}
