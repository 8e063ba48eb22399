"""What the dock's fields say, as one value.

Knows words, ids and numbers. Refuses to know widgets, layers and the engine: whoever asks turns it into pixels and a
`asking.request.Question`.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundproof_qgis.asking.request import FollowUp
from groundproof_qgis.imagery.what import Pixels

CANVAS = "canvas"
RECTANGLE = "rectangle"
SELECTION = "selection"
LAYER = "layer"
PLACES = (CANVAS, RECTANGLE, SELECTION, LAYER)


@dataclass(frozen=True)
class Where:
    """Which part of the map. kind: one of PLACES. layer_id: of the polygons or the raster; "" for the others."""

    kind: str = CANVAS
    layer_id: str = ""

    def __post_init__(self) -> None:
        if self.kind not in PLACES:
            raise ValueError(f"the place {self.kind!r} is not one of {', '.join(PLACES)}")


@dataclass(frozen=True)
class AskForm:
    """One filled-in form. pixels: one choice, or two for two dates, the earlier first.

    classes: as the user picked them; `question` says them already.
    """

    question: str
    pixels: tuple[Pixels, ...]
    task: str = "auto"
    classes: tuple[str, ...] = ()
    where: Where = Where()
    per_polygon: bool = False
    second_look: bool = False
    follow_up: FollowUp | None = None

    def __post_init__(self) -> None:
        if len(self.pixels) not in (1, 2):
            raise ValueError(f"a question is asked of one image or two, not of {len(self.pixels)}")

    @property
    def two_dates(self) -> bool:
        """Whether it compares two dates."""
        return len(self.pixels) == 2
