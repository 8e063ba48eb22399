"""Which boxes of a case were found, missed and invented, drawn over its picture. Knows one case and its picture.

Refuses to know metrics: what counts for a figure is `strict`'s. Boxes are matched best overlap first at IoU 0.5 here,
which can differ from the one-to-one optimum that figures use only where boxes crowd.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Status
from groundproof_training.evaluation.report.writing import escaped
from groundproof_training.evaluation.strict.columns import may_be
from groundproof_training.metrics.boxes import Floats, iou_matrix, match_greedy, oriented_iou_matrix

IOU = 0.5
MOST_DRAWN = 400
"""Boxes of one kind in one picture; the rest are counted in words."""
KINDS = {
    "pointed": "evidence of the rationale that is no box of the answer",
    "true": "true object that was found",
    "found": "found: said and true",
    "missed": "missed: true, not said",
    "invented": "invented: said, not true",
    "ignored": "counts neither way",
}
"""Drawn in this order, later ones on top."""
SAME = 0.9
"""IoU from which a box of the rationale is the answer's, drawn once."""
GROUND_PX = 320
"""Longer side of the plain ground where a case has no picture."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One box. kind: of KINDS. corners: (4, 2), in the case's units, of the case's image. title: plain text."""

    kind: str
    corners: Floats
    image: int
    title: str


def drawn_boxes(case: Case) -> list[Drawn]:
    """All boxes of a case; of one whose truth has no boxes those said, as neither found nor invented."""
    said = case.said.boxes if case.said.status is Status.OK else NO_BOXES
    true = case.truth.boxes or NO_BOXES
    made: list[Drawn] = []
    judged = case.truth.boxes is not None and case.truth.complete
    overlap = _overlaps(said, true, case.asked)
    ignore = np.zeros(len(true), dtype=bool) if true.ignore is None else np.asarray(true.ignore, dtype=bool)
    pairs = dict(match_greedy(np.where(ignore[None], 0.0, overlap), IOU))
    finders = {j: i for i, j in pairs.items()}
    for j in range(len(true)):
        name = true.labels[j]
        if ignore[j]:
            kind, title = "ignored", f"counts neither way: {name}"
        elif j in finders:
            kind, title = "true", f"true: {name}, IoU {overlap[finders[j], j]:.2f}"
        else:
            best = float(overlap[:, j].max(initial=0.0))
            kind, title = "missed", f"missed: {name}, best IoU {best:.2f}"
        made.append(Drawn(kind, _corners(true, j), true.images[j], title))
    for i in range(len(said)):
        name = said.labels[i] or "no name"
        best = float(overlap[i].max(initial=0.0))
        on_ignored = float(overlap[i, ignore].max(initial=0.0)) >= IOU
        score = "" if said.scores is None else f", score {said.scores[i]:.2f}"
        if i in pairs:
            kind, title = "found", f"said: {name}, IoU {overlap[i, pairs[i]]:.2f}{score}"
        elif on_ignored or not judged:
            kind, title = "ignored", f"said, counts neither way: {name}{score}"
        else:
            kind, title = "invented", f"invented: {name}, best IoU {best:.2f}{score}"
        made.append(Drawn(kind, _corners(said, i), said.images[i], title))
    evidence = case.said.evidence or NO_BOXES
    repeated = _overlaps(evidence, said, ()).max(axis=1, initial=0.0) >= SAME
    for i in np.flatnonzero(~repeated).tolist():
        title = f"evidence: {evidence.labels[i]}"
        made.append(Drawn("pointed", _corners(evidence, i), evidence.images[i], title))
    return made


def drawing(case: Case, sheet: tuple[int, int] | None, reference: str, described: str) -> tuple[str, str]:
    """SVG of a case's boxes over its picture, and a sentence on what is not drawn, "" for nothing.

    sheet: width and height of the picture, px; its images lie side by side, each as wide as the others. reference: id
    of the picture in the page. described: what the drawing shows, for readers who do not see it.
    """
    images = max(1, _whole(case.meta.get("images", "1")))
    boxes = drawn_boxes(case)
    if sheet is None and (case.size is None or not boxes):
        return "", "There is no picture of this question."
    width, height = sheet or _ground(case.size or (1, 1), images)
    words = []
    shapes = ""
    if boxes and (case.size is None or min(case.size) <= 0):
        words.append("Boxes are not drawn: the size of their image is not known.")
    elif boxes and _differs(case, (width / images, height), images):
        words.append("Boxes are not drawn: the images differ in size.")
    elif boxes:
        assert case.size is not None  # noqa: S101  (narrowing)
        scale = np.array([width / images / case.size[0], height / case.size[1]])
        shapes, left = _shapes(boxes, scale, width / images, images)
        words += left
    points = case.truth.points
    if points is not None and len(points) and case.size is not None and min(case.size) > 0:
        shapes += _points(points * [width / images / case.size[0], height / case.size[1]])
    under = f'<rect class="ground" width="{width}" height="{height}"/>'
    if reference:
        under += (
            f'<text class="absent" x="8" y="20">picture left out: the file would be too large</text>'
            f'<use href="#{reference}"/>'
        )
    parts = "".join(
        f'<line class="seam" x1="{width * k / images:g}" x2="{width * k / images:g}" y1="0" y2="{height}"/>'
        for k in range(1, images)
    )
    svg = (
        f'<svg class="shown" viewBox="0 0 {width} {height}" role="img" aria-label="{escaped(described)}">'
        f"{under}{parts}{shapes}</svg>"
    )
    return svg, " ".join(words)


def counts(case: Case) -> dict[str, int]:
    """Boxes of each kind."""
    kinds = [one.kind for one in drawn_boxes(case)]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}


def _overlaps(said: BoxSet, true: BoxSet, asked: tuple[str, ...]) -> Floats:
    """IoU (said, true), as polygons where both have corners; 0 in another image or under a name that does not fit."""
    if not len(said) or not len(true):
        return np.zeros((len(said), len(true)))
    if said.quads is not None and true.quads is not None:
        overlap = oriented_iou_matrix(said.quads, true.quads)
    else:
        with np.errstate(all="ignore"):
            overlap = np.nan_to_num(iou_matrix(said.xyxy, true.xyxy), nan=0.0, posinf=0.0, neginf=0.0)
    names = {(a, b): may_be(a, b, asked) for a in set(said.labels) for b in set(true.labels)}
    fits = np.array([[names[a, b] for b in true.labels] for a in said.labels])
    together = np.array(said.images)[:, None] == np.array(true.images)[None]
    return np.where(fits & together, overlap, 0.0)


def _corners(boxes: BoxSet, index: int) -> Floats:
    if boxes.quads is not None and np.isfinite(boxes.quads[index]).all():
        return np.asarray(boxes.quads[index], dtype=np.float64).reshape(4, 2)
    x0, y0, x1, y1 = boxes.xyxy[index]
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64)


def _shapes(boxes: Sequence[Drawn], scale: Floats, image_width: float, images: int) -> tuple[str, list[str]]:
    made, words = [], []
    for kind in KINDS:
        mine = [one for one in boxes if one.kind == kind]
        readable = [one for one in mine if np.isfinite(one.corners).all() and 0 <= one.image < images]
        made += [_shape(one, scale, image_width) for one in readable[:MOST_DRAWN]]
        if len(readable) > MOST_DRAWN:
            words.append(f"{len(readable) - MOST_DRAWN:,} more boxes ({KINDS[kind]}) are not drawn.")
        if len(readable) < len(mine):
            words.append(f"{len(mine) - len(readable):,} boxes cannot be drawn: they hold no number.")
    return "".join(made), words


def _shape(one: Drawn, scale: Floats, image_width: float) -> str:
    # far outside is as good as outside, and keeps the numbers short
    corners = np.clip(one.corners * scale, -1e4, 1e4) + np.array([one.image * image_width, 0.0])
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners.tolist())
    title = f"<title>{escaped(one.title, 200)}</title>"
    return (
        f'<g class="{one.kind}">{title}<polygon class="halo" points="{points}"/>'
        f'<polygon class="line" points="{points}"/></g>'
    )


def _points(points: Floats) -> str:
    marks = "".join(f"M{x - 3:.1f} {y:.1f}h6M{x:.1f} {y - 3:.1f}v6" for x, y in _finite(points))
    lines = "".join(f'<path class="{name}" d="{marks}"/>' for name in ("halo", "line"))
    return f'<g class="spots"><title>true positions</title>{lines}</g>'


def _finite(points: Floats) -> Iterator[tuple[float, float]]:
    for x, y in points[:MOST_DRAWN].tolist():
        if np.isfinite([x, y]).all():
            yield x, y


def _ground(size: tuple[float, float], images: int) -> tuple[int, int]:
    """A sheet in the proportions of the case's images."""
    longer = max(size)
    width, height = (max(1, round(GROUND_PX * side / longer)) for side in size)
    return width * images, height


def _differs(case: Case, shown: tuple[float, float], images: int) -> bool:
    """Several images, and one of them is not as wide and high as the others are."""
    if images == 1 or case.size is None or case.size in ((100.0, 100.0), (1000.0, 1000.0)):
        return False
    return abs(shown[0] / shown[1] / (case.size[0] / case.size[1]) - 1) > 0.03


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 1
