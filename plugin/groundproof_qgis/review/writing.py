"""How a decision is written into a box's cells: the review, when it was made, and the verdict that follows.

Knows the edit buffer and the engine's rule for verdicts. Refuses to know who decides.
"""

from __future__ import annotations

from qgis.core import NULL, QgsVectorLayer
from qgis.PyQt.QtCore import QDateTime

from groundproof_qgis.answer.counting import SEEN
from groundproof_qgis.review.rows import ReviewRows


class ReviewWriter:
    """Writes cells; the layer must be in edit mode. is_writing: edits that come now are its own."""

    def __init__(self, layer: QgsVectorLayer, rows: ReviewRows) -> None:
        self._layer = layer
        self._rows = rows
        self.is_writing = False
        self.column = {field.name(): i for i, field in enumerate(layer.fields())}

    def decide(self, fid: int, review: str | None) -> None:
        """Set a review and what follows from it."""
        row = self._rows[fid]
        self.write(fid, review=review, verdict=verdict_after(row.verdict, row.review, review))

    def write(self, fid: int, **cells: object) -> None:
        """Change cells of a box; when the review is among them, when it was made as well. None writes NULL."""
        if "review" in cells:
            # In UTC, as GeoPackages hold times; QGIS writes a local time as if it were one.
            cells["reviewed_at"] = QDateTime.currentDateTimeUtc() if cells["review"] else None
        values = {self.column[name]: NULL if value is None else value for name, value in cells.items()}
        was, self.is_writing = self.is_writing, True
        try:
            self._layer.changeAttributeValues(fid, values)
        finally:
            self.is_writing = was


def verdict_after(verdict: str | None, before: str | None, review: str | None) -> str | None:
    """The verdict that a review leads to: a person's yes supports a box, as in the engine's audit.

    Without that yes the box is as before, as far as one knows: a support that only a person gave is gone with it.
    """
    if review in SEEN:
        return "supported"
    return "unchecked" if verdict == "supported" and before in SEEN else verdict
