"""Boxes in the texts of published files, and boxes of a case written as such a file would hold them.

Knows grids. Refuses to know how boxes are scored.
"""

from __future__ import annotations

import re

import numpy as np

from groundproof_training.evaluation.cases import BoxSet, Case
from groundproof_training.metrics.boxes import Floats
from groundproof_training.readers.oriented import quad_of, smallest

PERCENT, PER_MILLE = 100.0, 1000.0
_NUMBER = re.compile(r"-?\d*\.\d+|-?\d+")
_GROUP = re.compile(r"\[([^\[\]]*)\]")
_BRACES = re.compile(r"\{\s*<")
"""How GeoChat's boxes begin, which none of EarthDial's files has."""
_LETTER = re.compile(r"[^\W\d_]")


def on_grid(case: Case, full: float) -> bool:
    """Whether the case's own texts are on a grid of 0 to `full`; an image that is that many px large is none."""
    return case.size == (full, full) and case.meta.get("units") != "px"


def writes_percent(case: Case) -> bool:
    """Whether truth and answer are texts on the percent grid as EarthDial's script reads them, quirks and all. Boxes in
    GeoChat's braces are not: they are written anew for it, as those of any other model."""
    braced = _BRACES.search(case.truth.text) or _BRACES.search(case.said.text)
    return on_grid(case, PERCENT) and not (braced and case.truth.boxes is not None)


def numbers_in(text: str) -> list[float]:
    """Every number of a text, a minus before it belonging to it: "100-200" has 100 and -200. RS_Tester's reading."""
    return [float(found) for found in _NUMBER.findall(text)]


def is_bare(text: str) -> bool:
    """Whether a text is boxes of four numbers and nothing else, at least one: what RS_Tester's sets hold."""
    if _LETTER.search(text):
        return False
    numbers = len(_NUMBER.findall(text))
    groups = [len(_NUMBER.findall(group)) for group in _GROUP.findall(text) if group.strip()]
    return numbers > 0 and not numbers % 4 and (len(groups) < 2 or set(groups) == {4})


def knows_places(case: Case, full: float) -> bool:
    """Whether the case says where the objects are: by boxes, or by its own text on a grid of 0 to `full`. Scenes whose
    truth is points do not, nor do boxes of an image of unknown size, which cannot be put on the grid."""
    if is_bare(case.truth.text) or on_grid(case, full):
        return True
    return case.truth.boxes is not None and (case.size is not None or not len(case.truth.boxes))


def upright(boxes: BoxSet, size: tuple[float, float], full: float) -> Floats:
    """Boxes (n, 4) as whole numbers of a grid, 0 to `full` on each axis; around those that are turned."""
    scale = np.array([full / size[0], full / size[1]] * 2)
    made: Floats = np.round(boxes.xyxy * scale)
    return made


def turned(boxes: BoxSet, size: tuple[float, float], full: float) -> Floats:
    """Boxes (n, 5), x0 y0 x1 y1 before the turn and degrees clockwise on screen, whole numbers of a grid as EarthDial's
    and GeoChat's labels are. A quadrilateral is taken as the smallest rectangle around it on the grid."""
    made = np.concatenate([upright(boxes, size, full), np.zeros((len(boxes), 1))], axis=1)
    if boxes.quads is None:
        return made
    scale = np.array([full / size[0], full / size[1]] * 4)
    for row, quad in enumerate(boxes.quads * scale):
        if not np.isfinite(quad).all():
            continue
        try:
            one = smallest(quad_of(quad.tolist()))
        except ValueError:
            continue
        half_w, half_h = one.width / 2, one.height / 2
        made[row] = np.round(
            [one.cx - half_w, one.cy - half_h, one.cx + half_w, one.cy + half_h, one.angle_deg]
        )
    return made
