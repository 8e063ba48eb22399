"""How boxes look before the engine's own styles come with its GeoPackage: the same colours, dashes and casing.

Knows the engine's palette (a test holds the two together). Refuses to know where boxes come from. Hues are those that
colour-blind eyes tell apart; lightness and dashes differ as well, so that a greyscale print works.
"""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsPalLayerSettings,
    QgsRendererCategory,
    QgsSimpleLineSymbolLayer,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QFont

CASING = "#101820"
CASING_ALPHA = 150

VERDICTS: dict[str, tuple[str, tuple[float, ...]]] = {
    "supported": ("#56b4e9", ()),
    "unchecked": ("#ffffff", ()),
    "unsupported": ("#f0e442", (6, 2.5)),
    "contradicted": ("#e0651a", (3, 2)),
    "duplicate": ("#cc79a7", (1.5, 1.5)),
    "out-of-frame": ("#9a9a9a", (1.5, 3)),
}
"""Colour and dash (lengths in line widths) by verdict, in the order of a legend."""

WIDTH_MM, CASING_MM = 0.5, 0.5

MAX_LABELS = 1000
"""In one view. Placing labels beside 50,000 boxes takes QGIS over a minute, and nobody reads them."""
LABEL = "\"evidence_id\" || ' ' || left(coalesce(\"label\", ''), 40)"
"""Only numbered boxes get a label: the value is NULL without a number."""

NAMES = {
    "evidence": "\"evidence_id\" || ' ' || coalesce(\"label\", '')",
    "tiles": '"tile_id"',
    "answers": '"question"',
    "scenes": '"scene"',
}
"""Expressions that name an object of each of a result's tables."""

TIPS = {
    "evidence": (
        "coalesce(\"evidence_id\" || ' ', '') || coalesce(\"label\", '')",
        '"verdict"',
        'left("quote", 600)',
        "round(\"width_m\", 1) || ' x ' || round(\"height_m\", 1) || ' m'",
    ),
    "tiles": ('"status"', 'left("text", 600)'),
    "answers": ('"answer"', '"question"', "map_get(json_to_map(\"coverage\"), 'sentence')"),
    "scenes": ('"scene"', '"path"', "\"width\" || ' x ' || \"height\" || ' px'", '"reason"'),
}
"""Lines of their map tips, for `map_tip`. Longer texts are cut: a tip must not cover the map."""


def outline(colour: str, dash: tuple[float, ...] = (), width_mm: float = WIDTH_MM) -> QgsFillSymbol:
    """An outline on a dark casing: it shows on bright and on dark ground, and the object shows through."""
    casing = QColor(CASING)
    casing.setAlpha(CASING_ALPHA)
    symbol = QgsFillSymbol()
    symbol.changeSymbolLayer(0, _stroke(casing, width_mm + CASING_MM))
    symbol.appendSymbolLayer(_stroke(QColor(colour), width_mm, dash))
    return symbol


def live_renderer() -> QgsSingleSymbolRenderer:
    """Every box unchecked."""
    return QgsSingleSymbolRenderer(outline(*VERDICTS["unchecked"]))


def categorised(
    attribute: str, categories: Iterable[tuple[str, str, QgsFillSymbol]]
) -> QgsCategorizedSymbolRenderer:
    """Symbols by the value of a field: (value, words of the legend, symbol)."""
    return QgsCategorizedSymbolRenderer(
        attribute, [QgsRendererCategory(value, symbol, words) for value, words, symbol in categories]
    )


def label(layer: QgsVectorLayer, expression: str = LABEL) -> None:
    """Labels beside the objects, never on them; plain text."""
    font = QFont("Open Sans")
    font.setWeight(QFont.Weight.DemiBold)
    text = QgsTextFormat()
    text.setFont(font)
    text.setSize(9)
    text.setColor(QColor("#ffffff"))
    buffer = QgsTextBufferSettings()
    buffer.setEnabled(True)
    buffer.setSize(0.9)
    buffer.setColor(QColor(CASING))
    buffer.setOpacity(0.85)
    text.setBuffer(buffer)
    settings = QgsPalLayerSettings()
    settings.fieldName = expression
    settings.isExpression = True
    settings.placement = QgsPalLayerSettings.Placement.OutsidePolygons
    settings.dist = 0.6
    settings.limitNumLabels, settings.maxNumLabels = True, MAX_LABELS
    settings.setFormat(text)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)


def map_tip(*parts: str) -> str:
    """A map tip (HTML) whose lines are the values of expressions, each escaped: no value becomes markup."""
    lines = "<br/>".join(f"[% {_escaped(part)} %]" for part in parts)
    return f'<div style="max-width:26em">{lines}</div>'


def _escaped(expression: str) -> str:
    out = f"coalesce(to_string({expression}),'')"
    for raw, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("''", "&#39;")):
        out = f"replace({out},'{raw}','{entity}')"
    return out


def _stroke(colour: QColor, width_mm: float, dash: tuple[float, ...] = ()) -> QgsSimpleLineSymbolLayer:
    layer = QgsSimpleLineSymbolLayer(colour, width_mm)
    layer.setWidthUnit(QgsUnitTypes.RenderUnit.RenderMillimeters)
    layer.setPenCapStyle(Qt.PenCapStyle.FlatCap)
    layer.setPenJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if dash:
        layer.setUseCustomDashPattern(True)
        layer.setCustomDashPatternUnit(QgsUnitTypes.RenderUnit.RenderMillimeters)
        layer.setCustomDashVector([length * width_mm for length in dash])
    return layer
