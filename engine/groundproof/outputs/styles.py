"""The QGIS styles that travel inside the GeoPackage, so that a result opens looking like an answer.

Knows QML as QGIS 3.22 and later read it. Refuses to trust text: labels are plain text, and map tips
(which are HTML) escape every value with QGIS expression functions before it is shown, so that nothing a
model wrote becomes markup or a link in a colleague's QGIS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from groundproof.outputs import palette
from groundproof.outputs.palette import Line
from groundproof.tables import TABLES, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

OUTSIDE_POLYGONS: Final = "8"
"""Qgis.LabelPlacement.OutsidePolygons: beside the object, never on it."""
_NULL_IN_VALUE_MAP = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
"""How QGIS's value map widget spells NULL."""
_EVIDENCE_MM, _FRAME_MM, _CASING_MM = 0.5, 0.3, 0.5
MAX_LABELS = 1000
"""In one view. Placing labels beside 50,000 boxes takes QGIS over a minute, and nobody reads them."""
_QUOTE_CHARACTERS = 600
"""A longer text in a map tip is cut: a tip must not cover the map."""


_READ: Final = {
    "evidence": {
        "evidence_id": "number",
        "label": "what it is",
        "verdict": "verdict",
        "review": "review",
        "width_m": "width, m",
        "height_m": "height, m",
        "area_m2": "area, m\u00b2",
        "score": "score",
        "quote": "what the model wrote (places are within its tile)",
        "reviewed_at": "reviewed at",
        "answer_id": "answer",
    },
    "answers": {
        "answer_id": "number",
        "question": "question",
        "answer": "answer",
        "synthesis": "how the evidence gives it",
        "plan": "plan",
        "scene": "image",
        "task": "task",
    },
    "tiles": {
        "status": "status",
        "n_evidence": "boxes",
        "text": "the model's text",
        "seconds": "seconds",
        "attempts": "tries",
        "answer_id": "answer",
    },
    "scenes": {
        "scene": "image",
        "path": "file",
        "width": "width, px",
        "height": "height, px",
        "gsd_m": "metres per pixel",
        "datetime": "taken at",
        "status": "status",
        "reason": "why it failed",
    },
}
"""Columns that people read, in the order in which a table shows them, and their names; the others are for machines:
they are there, and hidden."""


@dataclass(frozen=True, slots=True)
class Style:
    """The default style of one table. qml: a whole QML document."""

    table: str
    qml: str
    description: str


def styles() -> list[Style]:
    """One style per table of the contract."""
    return [
        Style("evidence", _evidence(), "Boxes by verdict, numbered; labels beside the objects"),
        Style("answers", _answers(), "The area asked about"),
        Style("tiles", _tiles(), "Looked at, skipped, failed"),
        Style("scenes", _scenes(), "Footprints of the images"),
    ]


def escaped(expression: str) -> str:
    """A QGIS expression giving the value of `expression` as HTML text: & < > and quotes are entities."""
    out = f"coalesce(to_string({expression}),'')"
    for raw, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("''", "&#39;")):
        out = f"replace({out},'{raw}','{entity}')"
    return out


def _evidence() -> str:
    qml = _document()
    rejected = "if(\"review\" = 'rejected', 30, 100)"
    symbols = [
        (str(v), str(v), _outline(line, _EVIDENCE_MM, opacity=rejected))
        for v, line in palette.VERDICTS.items()
    ]
    other = _outline(palette.VERDICTS[Verdict.UNCHECKED], _EVIDENCE_MM, opacity=rejected)
    _categorized(qml, "verdict", [*symbols, ("", "other", other)])
    _label(qml, "\"evidence_id\" || ' ' || left(coalesce(\"label\", ''), 40)")
    _map_tip(
        qml,
        "\"evidence_id\" || ' ' || coalesce(\"label\", '')",
        "<b>[evidence_id] [label]</b> &#183; [verdict] [review]<br/><i>[quote]</i><br/>[size] [score]",
        quote=f'left("quote", {_QUOTE_CHARACTERS})',
        size="round(\"width_m\", 1) || ' x ' || round(\"height_m\", 1) || ' m'",
        score="'score ' || round(\"score\", 2)",
    )
    _widgets(_columns(qml, "evidence"))
    return _text(qml)


def _answers() -> str:
    qml = _document()
    _single(qml, _outline(palette.AOI, 0.6))
    _map_tip(
        qml,
        '"question"',
        "<b>[answer]</b><br/>[question]<br/>[coverage]",
        coverage="map_get(json_to_map(\"coverage\"), 'sentence')",
    )
    _columns(qml, "answers")
    return _text(qml)


def _tiles() -> str:
    qml = _document()
    looked_at = _outline(palette.LOOKED_AT, _FRAME_MM, casing=False)
    skipped = _outline(palette.SKIPPED, _FRAME_MM, casing=False)
    _hatch(skipped, palette.SKIPPED.colour, "f_diagonal")
    failed = _outline(palette.FAILED, _FRAME_MM)
    _hatch(failed, palette.FAILED.colour, "b_diagonal")
    status = (
        "CASE WHEN \"status\" IN ('ok', 'empty') THEN 'looked at' "
        "WHEN \"status\" = 'skipped' THEN 'skipped' ELSE 'failed' END"
    )
    _categorized(
        qml,
        status,
        [
            ("looked at", "looked at", looked_at),
            ("skipped", "skipped (no data)", skipped),
            ("failed", "failed", failed),
        ],
    )
    text = f'left("text", {_QUOTE_CHARACTERS})'
    _map_tip(qml, '"tile_id"', "<b>[status]</b>, boxes: [n_evidence]<br/>[text]", text=text)
    _columns(qml, "tiles")
    return _text(qml)


def _scenes() -> str:
    qml = _document()
    _single(qml, _outline(palette.SCENE, 0.4))
    size = "\"width\" || ' x ' || \"height\" || ' px'"
    _map_tip(qml, '"scene"', "<b>[scene]</b><br/>[path]<br/>[size]<br/>[reason]", size=size)
    _columns(qml, "scenes")
    return _text(qml)


def _document() -> Element:
    return Element(
        "qgis",
        version="3.22.0",
        styleCategories="Symbology|Labeling|Fields|Forms|MapTips|AttributeTable",
        labelsEnabled="0",
    )


def _text(qml: Element) -> str:
    SubElement(qml, "layerGeometryType").text = "2"
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + tostring(qml, encoding="unicode")


def _options(parent: Element, values: dict[str, str]) -> None:
    options = SubElement(parent, "Option", type="Map")
    for name, value in values.items():
        SubElement(options, "Option", type="QString", name=name, value=value)


def _outline(line: Line, width_mm: float, *, casing: bool = True, opacity: str | None = None) -> Element:
    """A fill symbol that is only an outline, so that the object shows. opacity: an expression, 0..100."""
    symbol = Element("symbol", type="fill", alpha="1", clip_to_extent="1", force_rhr="0")
    if opacity:
        collection = SubElement(SubElement(symbol, "data_defined_properties"), "Option", type="Map")
        SubElement(collection, "Option", type="QString", name="name", value="")
        alpha = SubElement(
            SubElement(collection, "Option", type="Map", name="properties"), "Option", type="Map"
        )
        alpha.set("name", "alpha")
        SubElement(alpha, "Option", type="bool", name="active", value="true")
        SubElement(alpha, "Option", type="QString", name="expression", value=opacity)
        SubElement(alpha, "Option", type="int", name="type", value="3")
        SubElement(collection, "Option", type="QString", name="type", value="collection")
    if casing:
        _stroke(symbol, Line(palette.CASING), width_mm + _CASING_MM, alpha=150)
    _stroke(symbol, line, width_mm)
    return symbol


def _stroke(symbol: Element, line: Line, width_mm: float, alpha: int = 255) -> None:
    layer = SubElement(symbol, "layer", {"class": "SimpleLine", "enabled": "1", "locked": "0", "pass": "0"})
    _options(
        layer,
        {
            "line_color": _rgba(line.colour, alpha),
            "line_style": "solid",
            "line_width": f"{width_mm:g}",
            "line_width_unit": "MM",
            "capstyle": "flat",
            "joinstyle": "miter",
            "use_custom_dash": "1" if line.dash else "0",
            "customdash": ";".join(f"{d * width_mm:g}" for d in line.dash) or "5;2",
            "customdash_unit": "MM",
        },
    )


def _hatch(symbol: Element, colour: str, pattern: str) -> None:
    layer = Element("layer", {"class": "SimpleFill", "enabled": "1", "locked": "0", "pass": "0"})
    _options(layer, {"color": _rgba(colour, 140), "style": pattern, "outline_style": "no"})
    symbol.insert(0, layer)


def _rgba(colour: str, alpha: int = 255) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + f",{alpha}"


def _single(qml: Element, symbol: Element) -> None:
    renderer = SubElement(qml, "renderer-v2", type="singleSymbol", symbollevels="0", enableorderby="0")
    symbol.set("name", "0")
    SubElement(renderer, "symbols").append(symbol)


def _categorized(qml: Element, attribute: str, categories: Iterable[tuple[str, str, Element]]) -> None:
    renderer = SubElement(
        qml, "renderer-v2", type="categorizedSymbol", attr=attribute, symbollevels="0", enableorderby="0"
    )
    rows, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    for i, (value, label, symbol) in enumerate(categories):
        SubElement(rows, "category", value=value, label=label, symbol=str(i), render="true", type="string")
        symbol.set("name", str(i))
        symbols.append(symbol)


def _label(qml: Element, expression: str) -> None:
    qml.set("labelsEnabled", "1")
    settings = SubElement(SubElement(qml, "labeling", type="simple"), "settings", calloutType="simple")
    style = SubElement(
        settings,
        "text-style",
        fieldName=expression,
        isExpression="1",
        allowHtml="0",
        fontFamily="Open Sans",
        fontSize="9",
        fontSizeUnit="Point",
        fontWeight="63",
        textColor="255,255,255,255",
        textOpacity="1",
    )
    SubElement(
        style,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.9",
        bufferSizeUnits="MM",
        bufferColor=_rgba(palette.CASING),
        bufferOpacity="0.85",
        bufferJoinStyle="128",
    )
    SubElement(settings, "placement", placement=OUTSIDE_POLYGONS, dist="0.6", distUnits="MM", priority="5")
    SubElement(
        settings,
        "rendering",
        drawLabels="1",
        obstacle="1",
        obstacleFactor="2",
        obstacleType="0",
        limitNumLabels="1",
        maxNumLabels=str(MAX_LABELS),
    )


def _map_tip(qml: Element, title: str, template: str, **expressions: str) -> None:
    """template: HTML in which [name] stands for the escaped value of that expression, or else that column."""

    def shown(match: re.Match[str]) -> str:
        column = f'"{match[1]}"'
        return f"[% {escaped(expressions.get(match[1], column))} %]"

    SubElement(qml, "previewExpression").text = title
    html = re.sub(r"\[(\w+)\]", shown, template)
    SubElement(qml, "mapTip", enabled="1").text = f'<div style="max-width:26em">{html}</div>'


def _columns(qml: Element, table: str) -> Element:
    """Readable names, the readable columns first, the others hidden, in tables and forms; the fields' widgets."""
    names = [column.name for column in TABLES[table]]
    read = _READ[table]
    aliases = SubElement(qml, "aliases")
    for name, words in read.items():
        SubElement(
            aliases, "alias", field=name, index=str(names.index(name) + 1), name=words
        )  # 0 is the row's id
    config = SubElement(
        qml, "attributetableconfig", actionWidgetStyle="dropDown", sortExpression="", sortOrder="0"
    )
    columns = SubElement(config, "columns")
    for name in [*read, "fid", *(name for name in names if name not in read)]:
        SubElement(
            columns, "column", type="field", name=name, hidden="0" if name in read else "1", width="-1"
        )
    SubElement(columns, "column", type="actions", hidden="1", width="-1")
    fields = SubElement(qml, "fieldConfiguration")
    for name in ["fid", *(name for name in names if name not in read)]:
        hidden = SubElement(SubElement(fields, "field", name=name), "editWidget", type="Hidden")
        SubElement(SubElement(hidden, "config"), "Option")
    return fields


def _widgets(fields: Element) -> None:
    """Review is chosen from a list, and long text is shown as text."""
    review = SubElement(SubElement(fields, "field", name="review"), "editWidget", type="ValueMap")
    options = SubElement(SubElement(review, "config"), "Option", type="Map")
    choices = SubElement(options, "Option", type="List", name="map")
    for name in ("accepted", "rejected", "adjusted", "added"):
        SubElement(SubElement(choices, "Option", type="Map"), "Option", type="QString", name=name, value=name)
    SubElement(
        SubElement(choices, "Option", type="Map"),
        "Option",
        type="QString",
        name="<NULL>",
        value=_NULL_IN_VALUE_MAP,
    )
    quote = SubElement(SubElement(fields, "field", name="quote"), "editWidget", type="TextEdit")
    _options(SubElement(quote, "config"), {"IsMultiline": "true", "UseHtml": "false"})
