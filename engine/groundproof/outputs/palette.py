"""How verdicts and tiles look, in one place: QGIS styles and pictures agree.

Knows colours and dashes. Refuses to know renderers. Hues are Okabe and Ito's, which colour-blind eyes tell
apart (https://jfly.uni-koeln.de/color/); lightness falls and dashes differ, so that a greyscale print
works too. Lines are drawn on a dark casing, because imagery is both bright and dark.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundproof.tables import Verdict

CASING = "#101820"


@dataclass(frozen=True, slots=True)
class Line:
    """colour: #rrggbb. dash: lengths of stroke and gap in line widths; empty for a solid line."""

    colour: str
    dash: tuple[float, ...] = ()


VERDICTS: dict[Verdict, Line] = {
    Verdict.SUPPORTED: Line("#56b4e9"),
    Verdict.UNCHECKED: Line("#ffffff"),
    Verdict.UNSUPPORTED: Line("#f0e442", (6, 2.5)),
    Verdict.CONTRADICTED: Line("#e0651a", (3, 2)),
    Verdict.DUPLICATE: Line("#cc79a7", (1.5, 1.5)),
    Verdict.OUT_OF_FRAME: Line("#9a9a9a", (1.5, 3)),
}
"""In the order of a legend."""

LOOKED_AT = Line("#c8d2dc", (4, 4))
SKIPPED = Line("#8c8c8c", (1.5, 3))
FAILED = Line("#e0651a")
AOI = Line("#f0e442", (8, 3, 1.5, 3))
SCENE = Line("#3d5a73", (8, 4))
