"""The plugin's own colours and icons, fitted to those around them.

Knows a few hues and the SVG files. Refuses to know what is shown with them, and where colours come from (colours.py).
Colours of text are worked out once for each pair: a list asks for them in every cell it draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from qgis.PyQt.QtCore import QByteArray, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QIcon, QPainter, QPixmap
from qgis.PyQt.QtSvg import QSvgRenderer

from groundproof_qgis.gui.colours import Colours, readable

ICONS = Path(__file__).resolve().parent.parent / "icons"
SIZES_PX = (16, 20, 24, 32, 48, 64)
"""Pixmaps of an icon; the larger ones are what screens of twice the density take."""


@dataclass(frozen=True)
class Tint:
    """Of a message: text, ground and the bar at its side, #rrggbb."""

    text: str
    ground: str
    bar: str


@lru_cache(maxsize=16)
def quiet(colours: Colours) -> QColor:
    """Of text that matters less, and can be read."""
    return readable(colours.mixed(0.32), colours)


def line(colours: Colours) -> QColor:
    """Of a thin border."""
    return colours.mixed(0.78)


def link(colours: Colours) -> QColor:
    """Of a link; Qt's pure blue cannot be read on every theme."""
    return readable(QColor("#6fc0f2" if colours.is_dark else "#0a5c96"), colours)


def warning(colours: Colours) -> Tint:
    """For what weakens an answer, and for what went wrong."""
    return Tint("#ffb787", "#38261a", "#e0651a") if colours.is_dark else Tint("#7d3405", "#fdf0e6", "#d0560f")


def good(colours: Colours) -> Tint:
    """For what went well."""
    return Tint("#a9dcf9", "#1a2f3d", "#56b4e9") if colours.is_dark else Tint("#084b7a", "#e8f4fb", "#2f8fc7")


def neutral(colours: Colours) -> Tint:
    """For hints."""
    return Tint(colours.text, colours.mixed(0.93).name(), colours.mixed(0.55).name())


@lru_cache(maxsize=16)
def warning_colour(colours: Colours) -> QColor:
    """Of warning text on the ordinary ground."""
    return readable(QColor(warning(colours).text), colours)


@lru_cache(maxsize=16)
def good_colour(colours: Colours) -> QColor:
    """Of text on the ordinary ground that says: this is well."""
    return readable(QColor(good(colours).text), colours)


def coloured_icon(name: str) -> QIcon:
    """An icon that keeps its own colours, such as the plugin's."""
    return QIcon(str(ICONS / f"{name}.svg"))


def icon(name: str, colours: Colours) -> QIcon:
    """A drawing in the text's colour. name: of a file in icons/, without .svg. Raises OSError without it."""
    return _icon(name, colours.text, colours.mixed(0.6).name())


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
