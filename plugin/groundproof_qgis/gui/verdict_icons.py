"""How verdicts look in a list: the outline that the map draws, small.

Knows colours and dashes, those of the engine's GeoPackage styles. Refuses to know words.
"""

from __future__ import annotations

from functools import lru_cache

from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from groundproof_qgis.gui.verdict_words import LIVE

CASING = "#101820"
"""Under every line, because imagery is both bright and dark."""

LINES: dict[str, tuple[str, tuple[float, ...]]] = {
    "supported": ("#56b4e9", ()),
    "unchecked": ("#ffffff", ()),
    "unsupported": ("#f0e442", (2.4, 1.2)),
    "contradicted": ("#e0651a", (1.6, 1.1)),
    "duplicate": ("#cc79a7", (0.9, 0.9)),
    "out-of-frame": ("#9a9a9a", (0.9, 1.6)),
    LIVE: ("#b9c3cc", (1.2, 1.2)),
}
"""(colour, dash in line widths): Okabe and Ito's hues, told apart by colour-blind eyes and in grey."""

SIZE = 16
CROSSED = frozenset({"contradicted", "duplicate", "out-of-frame"})
"""Not counted: a stroke through the box says so without colour."""


@lru_cache(maxsize=32)
def verdict_icon(verdict: str) -> QIcon:
    """A small box as on the map; of an unknown verdict as of an unchecked one."""
    made = QIcon()
    for scale in (1, 2, 3):
        pixmap = _pixmap(verdict, scale)
        for mode in (
            QIcon.Mode.Normal,
            QIcon.Mode.Selected,
        ):  # the same on a selected row: colour has a meaning
            made.addPixmap(pixmap, mode)
    return made


def _pixmap(verdict: str, scale: int) -> QPixmap:
    colour, dash = LINES.get(verdict, LINES["unchecked"])
    pixmap = QPixmap(SIZE * scale, SIZE * scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(scale, scale)
    box = QRectF(2.5, 3.5, 11, 9)
    casing = QPen(QColor(CASING), 3.8)
    casing.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    line = QPen(QColor(colour), 2.0)
    line.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    line.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash:
        line.setDashPattern(list(dash))
    for pen in (casing, line):
        painter.setPen(pen)
        painter.drawRect(box)
    if verdict in CROSSED:
        painter.setPen(QPen(QColor(CASING), 3.2))
        painter.drawLine(3, 13, 13, 3)
        painter.setPen(QPen(QColor(colour), 1.5))
        painter.drawLine(3, 13, 13, 3)
    painter.end()
    return pixmap
