"""Colours and icons that fit QGIS's theme, light or dark.

Knows palettes and the plugin's SVG files. Refuses to know what is shown with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from qgis.PyQt.QtCore import QByteArray, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from qgis.PyQt.QtSvg import QSvgRenderer

ICONS = Path(__file__).resolve().parent.parent / "icons"
SIZES_PX = (16, 20, 24, 32, 48, 64)
"""Pixmaps of an icon; the larger ones are what screens of twice the density take."""


@dataclass(frozen=True)
class Tint:
    """Of a message: text, ground and the bar at its side, #rrggbb."""

    text: str
    ground: str
    bar: str


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """`one` with `share` (0..1) of `other` in it."""
    parts = zip(one.getRgb()[:3], other.getRgb()[:3])
    return QColor(*(round(a + (b - a) * share) for a, b in parts))


def is_dark(palette: QPalette) -> bool:
    """Whether text is lighter than what it stands on."""
    return (
        palette.color(QPalette.ColorRole.WindowText).lightness()
        > palette.color(QPalette.ColorRole.Window).lightness()
    )


def quiet(palette: QPalette) -> QColor:
    """Of text that matters less; still 4.5:1 on the usual themes."""
    text = palette.color(QPalette.ColorRole.WindowText)
    return mixed(text, palette.color(QPalette.ColorRole.Window), 0.32)


def line(palette: QPalette) -> QColor:
    """Of a thin border."""
    return mixed(palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText), 0.22)


def link(palette: QPalette) -> QColor:
    """Of a link; themes that leave Qt's pure blue get one that can be read."""
    return QColor("#6fc0f2") if is_dark(palette) else QColor("#0a5c96")


def warning(palette: QPalette) -> Tint:
    """For what weakens an answer, and for what went wrong."""
    return (
        Tint("#ffb787", "#38261a", "#e0651a") if is_dark(palette) else Tint("#7d3405", "#fdf0e6", "#d0560f")
    )


def good(palette: QPalette) -> Tint:
    """For what went well."""
    return (
        Tint("#a9dcf9", "#1a2f3d", "#56b4e9") if is_dark(palette) else Tint("#084b7a", "#e8f4fb", "#2f8fc7")
    )


def warning_colour(palette: QPalette) -> QColor:
    """Of warning text on an ordinary ground."""
    return QColor(warning(palette).text)


def good_colour(palette: QPalette) -> QColor:
    """Of text on an ordinary ground that says: this is well."""
    return QColor(good(palette).text)


def neutral(palette: QPalette) -> Tint:
    """For hints."""
    window = palette.color(QPalette.ColorRole.Window)
    text = palette.color(QPalette.ColorRole.WindowText)
    return Tint(text.name(), mixed(window, text, 0.07).name(), mixed(window, text, 0.45).name())


def coloured_icon(name: str) -> QIcon:
    """An icon that keeps its own colours, such as the plugin's."""
    return QIcon(str(ICONS / f"{name}.svg"))


def icon(name: str, palette: QPalette) -> QIcon:
    """A drawing in the theme's text colour. name: of a file in icons/, without .svg. Raises OSError without it."""
    normal = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText)
    disabled = mixed(normal, palette.color(QPalette.ColorRole.Window), 0.6)
    return _icon(name, normal.name(), disabled.name())


def tinted(name: str, colour: str) -> QIcon:
    """A drawing in a colour of its own, #rrggbb."""
    return _icon(name, colour, colour)


@lru_cache(maxsize=256)
def _icon(name: str, normal: str, disabled: str) -> QIcon:
    drawing = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    made = QIcon()
    for colour, mode in ((normal, QIcon.Mode.Normal), (disabled, QIcon.Mode.Disabled)):
        for size in SIZES_PX:
            made.addPixmap(pixmap_of(drawing.replace("currentColor", colour), size), mode)
    return made


def pixmap_of(svg: str, size_px: int) -> QPixmap:
    """A square picture of an SVG text."""
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode("utf-8"))).render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return pixmap
