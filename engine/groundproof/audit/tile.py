"""The audit of one tile: which of its boxes are rows, and with which verdict.

Knows one trace and where its boxes lie. Refuses to know other tiles (`groundproof.merge`) and whether the
text is true of them (`groundproof.audit.claims`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from groundproof.boxes import PixelBoxes
from groundproof.findings import BoxFinding, TileAudit, Unplaced
from groundproof.labels import is_kind_of
from groundproof.overlap import Pairs, one_to_one, overlapping
from groundproof.tables import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from groundproof.georeference import Placed
    from groundproof.trace import Trace, TraceEvidence

SAME_OBJECT_IOU = 0.5
"""From here an answer box is the evidence box of the same label (ARCHITECTURE, "What is counted")."""

LISTED_TWICE_IOU = 0.8
"""From here two boxes of one label in one tile are one object written twice. Above SAME_OBJECT_IOU,
because neighbours in a dense row really do overlap by half when a model draws them loosely."""

PROBLEM_WORDS = {
    "degenerate": "a box without area or with numbers that are none",
    "out-of-frame": "a box outside the image",
    None: "a box without a place",
}
"""Why a box gives no row, by `georeference.Problem`."""


def audit_tile(
    trace: Trace,
    placed: Sequence[Placed],
    *,
    same_iou: float = SAME_OBJECT_IOU,
    twice_iou: float = LISTED_TWICE_IOU,
) -> TileAudit:
    """Audit the boxes of one tile; each that has a place of its own becomes a row with a verdict.

    placed: for `trace.evidence`, then for `trace.answer_boxes`, in order. An answer box that matches an
    evidence box of the same label and image (IoU >= same_iou, one to one, best first) is that evidence
    and gives no row; an answer box without a name of its own, as in `[[x0,y0,x1,y1],...]`, or with the
    name of a kind ("vehicle" for a car) has the same label. The other answer boxes are unsupported, or
    unchecked when the text gave no rationale at all. A box that repeats an earlier one of its role, label
    and image (IoU >= twice_iou) is a duplicate. A box placed out of its tile is out-of-frame; one without
    a place is dropped and listed.
    Raises ValueError when placements and boxes differ in number.
    """
    sources = (*trace.evidence, *trace.answer_boxes)
    if len(sources) != len(placed):
        raise ValueError(f"{len(sources)} boxes need as many placements, got {len(placed)}")
    unplaced = tuple(
        Unplaced(source, PROBLEM_WORDS[place.problem])
        for source, place in zip(sources, placed, strict=True)
        if place.box is None
    )
    evidence = _rows(trace.evidence, placed[: len(trace.evidence)], Verdict.UNCHECKED, twice_iou)
    alone = Verdict.UNSUPPORTED if trace.has_rationale else Verdict.UNCHECKED
    answers = _rows(trace.answer_boxes, placed[len(trace.evidence) :], alone, twice_iou)
    matched = {j for _, j in one_to_one(_pairs(evidence, answers, same_iou, _is_same))}
    left = [row for j, row in enumerate(answers) if j not in matched]
    return TileAudit(
        boxes=(*evidence, *left),
        unplaced=unplaced,
        matched=len(matched),
        answers_only=bool(answers) and not trace.has_rationale,
    )


def _rows(
    sources: Sequence[TraceEvidence], placed: Sequence[Placed], start: Verdict, twice_iou: float
) -> list[BoxFinding]:
    """Placed boxes of one role with verdict `start`, lowered where out of frame or listed before."""
    rows = [
        BoxFinding(source, place.box, Verdict.OUT_OF_FRAME if place.problem == "out-of-frame" else start)
        for source, place in zip(sources, placed, strict=True)
        if place.box is not None
    ]
    inside = [i for i, row in enumerate(rows) if row.verdict is not Verdict.OUT_OF_FRAME]
    boxes = [rows[i] for i in inside]
    pairs = _pairs(boxes, boxes, twice_iou, lambda one, other: one.label == other.label)
    earlier: dict[int, list[int]] = {}
    for i, j in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        if i < j:
            earlier.setdefault(j, []).append(i)
    repeats: set[int] = set()
    for j in sorted(earlier):
        # Only against boxes that stand: a slowly drifting list is not one object.
        if any(i not in repeats for i in earlier[j]):
            repeats.add(j)
    for j in repeats:
        row = boxes[j]
        rows[inside[j]] = BoxFinding(row.source, row.box, Verdict.DUPLICATE)
    return rows


def _is_same(evidence: TraceEvidence, answer: TraceEvidence) -> bool:
    """Whether an answer box may be an evidence box, by name.

    An answer's bare list of boxes takes the asked label from the parser, while the sentences may be more
    exact: asked for vehicles, "a car [..]" and "[[..]]" speak of one thing.
    """
    return (
        evidence.label == answer.label
        or not answer.label_raw.strip()
        or is_kind_of(evidence.label, answer.label)
    )


def _pairs(
    a: Sequence[BoxFinding],
    b: Sequence[BoxFinding],
    min_iou: float,
    fits: Callable[[TraceEvidence, TraceEvidence], bool],
) -> Pairs:
    """Overlapping pairs of one image whose names fit."""
    pairs = overlapping(PixelBoxes.of([r.box for r in a]), PixelBoxes.of([r.box for r in b]), min_iou)
    keep = [
        a[i].source.image == b[j].source.image and fits(a[i].source, b[j].source)
        for i, j in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    ]
    mask = np.asarray(keep, dtype=bool)
    return Pairs(pairs.first[mask], pairs.second[mask], pairs.iou[mask])
