"""An answer as one self-contained, printable HTML page: the answer first, what weakens it right below, then why.

Knows an answer, its evidence and a picture. Refuses to know widgets and layers, and to load anything from elsewhere.
Every text is escaped; numbers lead to the rows of the table.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.evidence import Evidence
from groundproof_qgis.answer.html import Html, escaped
from groundproof_qgis.answer.links import Link
from groundproof_qgis.gui.verdict_words import review_word, verdict_word
from groundproof_qgis.i18n_text import tr

MAX_ROWS = 2_000
"""Boxes in the table; all of them are in the GeoPackage."""

PICTURE = "map.png"
"""How the picture is called where it is not inside the page."""

PICTURE_WIDTH = 636
"""Of the page, px of 1/96 inch: the width of A4 between its margins."""

_CSS = """
body { font-family: "Open Sans", "Segoe UI", Helvetica, Arial, sans-serif; font-size: 10pt; color: #101820; }
h1 { font-size: 20pt; margin: 2px 0 6px 0; }
h2 { font-size: 12pt; margin: 18px 0 4px 0; color: #3d5a73; }
p { margin: 5px 0; }
p.question { font-size: 12pt; color: #3d5a73; margin: 0; }
.weak { color: #a33f08; }
table { border-collapse: collapse; font-size: 9pt; }
th { text-align: left; padding: 2px 5px; }
td { padding: 2px 5px; vertical-align: top; }
a { color: #1f5f8b; text-decoration: none; }
.out { color: #5c6670; }
.small { font-size: 8.5pt; color: #3d4a55; }
"""
"""What both browsers and Qt's documents understand. Without colour the page says the same: words carry the meaning."""

_SCREEN_CSS = """
body { background: #ffffff; max-width: 54em; margin: 2em auto; padding: 0 1em; line-height: 1.4; }
h2 { border-bottom: 1px solid #c8d2dc; }
.weak { border-left: 4px solid #e0651a; padding-left: 0.8em; }
img { max-width: 100%; height: auto; border: 1px solid #c8d2dc; }
table { width: 100%; }
th { border-bottom: 1px solid #101820; }
td { border-bottom: 1px solid #c8d2dc; }
thead { display: table-header-group; }
tr { page-break-inside: avoid; }
tr:target td { background: #fff6c8; }
@media print { body { margin: 0; max-width: none; padding: 0; } a { color: inherit; } }
"""


@dataclass(frozen=True)
class Facts:
    """What a report says beside the answer. asked_at: RFC 3339. engine: who answered, in words.

    crs: its name for people, "" in pixel space. scenes: a line for each image. gpkg: name of the result's file.
    """

    asked_at: str = ""
    engine: str = ""
    crs: str = ""
    scenes: tuple[str, ...] = ()
    gpkg: str = ""


@dataclass(frozen=True)
class Image:
    """The map's picture: its address (`PICTURE`, or data:), and its height divided by its width."""

    address: str
    aspect: float

    @classmethod
    def inside(cls, png: bytes, aspect: float) -> Image:
        """As part of the page itself."""
        return cls("data:image/png;base64," + base64.b64encode(png).decode("ascii"), aspect)


def html_report(answer: Answer, facts: Facts, image: Image | None) -> str:
    """The whole page for a browser. image: None for none."""
    return page(answer, facts, image, _CSS + _SCREEN_CSS)


def page(answer: Answer, facts: Facts, image: Image | None, css: str = _CSS) -> str:
    """The whole page."""
    html = Html(answer, address=_row_address)
    title = escaped(answer.question or tr("An answer of groundproof"))
    body = "".join(_body(answer, facts, html, image))
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"/><title>{title}</title>'
        f"<style>{css}</style></head><body>{body}</body></html>\n"
    )


def _body(answer: Answer, facts: Facts, html: Html, image: Image | None) -> Iterator[str]:
    yield f'<p class="question">{escaped(answer.question)}</p>'
    yield f"<h1>{escaped(answer.line or tr('no answer'))}</h1>"
    if answer.weaknesses:
        yield f'<div class="weak">{html.weaknesses()}</div>'
    if image is not None:
        height = round(PICTURE_WIDTH * image.aspect)  # without it Qt keeps the picture's own and stretches it
        yield f'<p><img src="{escaped(image.address)}" width="{PICTURE_WIDTH}" height="{height}"/></p>'
    for heading, text in (
        (tr("Why"), html.synthesis()),
        (tr("What was looked at"), html.coverage()),
        (tr("What was checked"), html.findings()),
        (tr("Plan"), html.plan()),
    ):
        if text:
            yield f"<h2>{escaped(heading)}</h2>{text}"
    yield f"<h2>{escaped(tr('Evidence'))}</h2>"
    yield from _table(answer, html)
    yield html.places()
    if answer.notes:
        yield f"<h2>{escaped(tr('Notes'))}</h2>{html.notes()}"
    yield f"<h2>{escaped(tr('Where this comes from'))}</h2>"
    yield _provenance(answer, facts)


def _table(answer: Answer, html: Html) -> Iterator[str]:
    rows = answer.evidence
    if not rows:
        yield f"<p>{escaped(tr('No box.'))}</p>"
        return
    heads = (tr("No."), tr("What"), tr("Size"), tr("Centre"), tr("Verdict"), tr("Review"), tr("Sentence"))
    yield "<table><thead><tr>" + "".join(f"<th>{escaped(one)}</th>" for one in heads) + "</tr></thead><tbody>"
    several = len(answer.parts) > 1
    for one in rows[:MAX_ROWS]:
        yield _row(one, several)
    yield "</tbody></table>"
    if len(rows) > MAX_ROWS:
        more = tr("{n} more boxes are in the GeoPackage.").format(n=len(rows) - MAX_ROWS)
        yield f"<p>{escaped(more)}</p>"


def _row(one: Evidence, several: bool) -> str:
    name = one.evidence_id or ""
    number = f"{one.answer_id}/{name}" if several else name
    verdict = verdict_word(one.verdict)
    if not one.counted:
        verdict = tr("{verdict}, not counted").format(verdict=verdict)
    cells = (
        number,
        one.label,
        _unbroken(one.size),
        _unbroken(_centre(one.geometry)),
        verdict,
        review_word(one.review),
        one.quote,
    )
    kind = "" if one.counted else ' class="out"'
    anchor = f'<a name="{escaped(_anchor(one.answer_id, name))}"></a>'
    texts = [escaped(cell) for cell in cells]
    texts[0] = f"{anchor}<b>{texts[0]}</b>"
    return (
        f'<tr id="{escaped(_anchor(one.answer_id, name))}">'
        + "".join(f"<td{kind}>{text}</td>" for text in texts)
        + "</tr>"
    )


def _centre(geometry: dict[str, Any] | None) -> str:
    """The middle of a box in its CRS, x before y; metres with one decimal, degrees with six."""
    points = list(_points(geometry["coordinates"])) if geometry is not None else []
    if not points:
        return ""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    digits = 6 if max(map(abs, xs)) <= 360 and max(map(abs, ys)) <= 90 else 1
    return f"{x:.{digits}f}, {y:.{digits}f}"


def _unbroken(text: str) -> str:
    """In one line: the spaces are not broken at."""
    return text.replace(" ", "\u00a0")


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    if coordinates and isinstance(coordinates[0], (int, float)):
        yield (coordinates[0], coordinates[1])
        return
    for part in coordinates:
        yield from _points(part)


def _provenance(answer: Answer, facts: Facts) -> str:
    metadata = answer.metadata
    run = metadata.get("configuration") or {}
    versions = metadata.get("versions") or {}
    profile = run.get("profile") if isinstance(run.get("profile"), dict) else {}
    lines = (
        (tr("Asked"), facts.asked_at),
        (tr("Answered by"), facts.engine),
        (tr("Model"), _joined(profile.get("title"), metadata.get("model"))),
        (tr("Engine"), _joined("groundproof", versions.get("groundproof"))),
        (tr("Prompt"), metadata.get("prompt_version")),
        (tr("Run"), metadata.get("run_id")),
        (tr("Coordinates"), facts.crs or tr("pixels: the image has no coordinate reference system")),
        *((tr("Image"), scene) for scene in facts.scenes),
        (tr("Result"), facts.gpkg),
    )
    rows = "".join(
        f"<tr><td>{escaped(name)}</td><td>{escaped(str(value))}</td></tr>" for name, value in lines if value
    )
    note = tr(
        "Boxes are a model's claims unless the review says that a person looked. Sizes are geodesic, in metres. "
        "Made with groundproof."
    )
    return f'<table class="small">{rows}</table><p class="small">{escaped(note)}</p>'


def _joined(*words: Any) -> str:
    return ", ".join(str(word) for word in words if word)


def _row_address(link: Link) -> str:
    """Numbers lead to their row of the table; tiles are not in the report."""
    return "" if link.evidence is None else f"#{_anchor(link.answer_id, link.evidence)}"


def _anchor(answer_id: str | None, evidence_id: str) -> str:
    """Of a row. With one answer, links do not name it."""
    return f"{answer_id or 'A1'}-{evidence_id}"


def scene_lines(scenes: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """A line for each row of the scenes table."""
    lines = []
    for row in scenes:
        words = tr("{name}, {width} x {height} px").format(
            name=row.get("scene"), width=row.get("width"), height=row.get("height")
        )
        if row.get("gsd_m"):
            words = tr("{image}, {gsd} m per px").format(image=words, gsd=f"{row['gsd_m']:.3g}")
        if row.get("datetime"):
            words = tr("{image}, of {time}").format(image=words, time=row["datetime"])
        lines.append(words)
    return tuple(lines)
