"""Drawing a picture of an answer: the scene with its numbered boxes, and everything needed to judge it.

Knows pixels of a page and matplotlib's Agg. Refuses to know tables and files: see `picture.py`. Model text
is drawn as plain text (no mathtext).
"""

from __future__ import annotations

import io
import math
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle

from groundproof.boxes import PixelBox, PixelBoxes
from groundproof.georeference import corners
from groundproof.outputs import palette
from groundproof.outputs.placing import Place, place_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from groundproof.tables import Verdict

NAMED, NUMBERED, CROWDED = 60, 200, 600
"""Up to so many boxes carry "E1 airplane"; up to so many "E1"; up to so many "E1" where there is room."""

_INK, _SOFT, _PAPER, _RULE, _WARN = "#16202a", "#5b6875", "#ffffff", "#d5dce2", "#a33c05"
_FAMILY = "DejaVu Sans"
"""Comes with matplotlib, so that a picture looks the same everywhere."""
_DPI = 100
_WIDE_PX, _NARROW_PX = 2000, 900
"""The scene is shown between so many page pixels wide; smaller ones are enlarged, larger ones reduced."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One box to draw. box: scene pixels. text: "E1". name: its label."""

    box: PixelBox
    text: str
    name: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything on the page.

    rgb: uint8 (height, width, 3), the scene or a part of it, decimated or not. x0, y0: scene pixel of its
    top left corner. scale: pixels of `rgb` per scene pixel. gsd_m: metres per scene pixel; None: the scale
    bar is in pixels. north_deg: where north is, clockwise from up; None: no arrow.
    """

    rgb: NDArray[np.uint8]
    x0: float
    y0: float
    scale: float
    marks: tuple[Mark, ...]
    question: str
    answer: str
    coverage: str
    warnings: tuple[str, ...] = field(default=())
    gsd_m: float | None = None
    north_deg: float | None = None
    footer: str = ""

    def __post_init__(self) -> None:
        if self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or self.rgb.dtype != np.uint8:
            raise ValueError(f"rgb must be uint8 (height, width, 3), got {self.rgb.dtype} {self.rgb.shape}")
        if not self.scale > 0:
            raise ValueError(f"scale must be positive, got {self.scale}")


def draw(picture: Picture) -> bytes:
    """The page as PNG. Characters the font lacks are drawn as empty boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # see above
        return _Page(picture).png()


class _Page:
    """Lays the page out from top to bottom in page pixels, y down, one unit per pixel."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        height, width = picture.rgb.shape[:2]
        longest = max(height, width)
        zoom = min(max(1.0, _NARROW_PX / longest), _WIDE_PX / longest)
        self.image_w: float = max(1.0, width * zoom)
        self.image_h: float = max(1.0, height * zoom)
        self.zoom: float = zoom
        self.width: float = max(self.image_w, _NARROW_PX)
        self.unit: float = min(max(self.width / 68, 13.0), 26.0)
        """Height of body text; every other length follows from it."""
        self.margin = 2.2 * self.unit
        self.left = self.margin + (self.width - self.image_w) / 2
        self.page_w = self.width + 2 * self.margin
        self.items: list[tuple[Any, ...]] = []
        self.figure = Figure(dpi=_DPI, facecolor=_PAPER)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()

    def png(self) -> bytes:
        y = self._paragraph(self.picture.answer, self.margin, 1.75, _INK, bold=True, lines=3)
        y = self._paragraph(self.picture.question, y + 0.3 * self.unit, 1.0, _SOFT, lines=3)
        top = y + 0.9 * self.unit
        notes = self._scene(top)
        y = top + self.image_h + 1.0 * self.unit
        y = self._key(y)
        y = self._paragraph(self.picture.coverage, y + 0.9 * self.unit, 1.0, _INK, lines=4)
        for warning in self.picture.warnings:
            y = self._paragraph("! " + warning, y + 0.25 * self.unit, 1.0, _WARN, lines=4)
        for note in notes:
            y = self._paragraph(note, y + 0.25 * self.unit, 0.85, _SOFT, lines=2)
        y += 0.9 * self.unit
        self.axes.add_line(Line2D([self.margin, self.page_w - self.margin], [y, y], color=_RULE, lw=1))
        y = self._paragraph(self.picture.footer, y + 0.5 * self.unit, 0.78, _SOFT, lines=2)
        page_h = y + 0.8 * self.margin
        self.figure.set_size_inches(round(self.page_w) / _DPI, round(page_h) / _DPI)
        self.axes.set_xlim(0, self.page_w)
        self.axes.set_ylim(page_h, 0)
        out = io.BytesIO()
        FigureCanvasAgg(self.figure).print_png(out, metadata={"Software": "groundproof"})
        return out.getvalue()

    # --- the scene -------------------------------------------------------------------------------

    def _scene(self, top: float) -> list[str]:
        """Draws image, boxes and labels; returns what has to be said about labels."""
        box = (self.left, top, self.left + self.image_w, top + self.image_h)
        self.axes.imshow(
            self.picture.rgb,
            extent=(box[0], box[2], box[3], box[1]),
            interpolation="lanczos" if self.zoom < 3 else "bicubic",
            aspect="auto",
        )
        frame = Rectangle((box[0], box[1]), self.image_w, self.image_h, fill=False, ec=_INK, lw=0.8, zorder=4)
        self.axes.add_patch(frame)
        marks = self.picture.marks
        if not marks:
            return []
        rings = self._rings(top)
        for mark, ring in zip(marks, rings, strict=True):
            self._outline(ring, mark.verdict, frame)
        return self._labels(rings, box)

    def _rings(self, top: float) -> NDArray[np.float64]:
        """Corners of the boxes on the page, (N, 4, 2)."""
        px = corners(PixelBoxes.of([m.box for m in self.picture.marks]))
        page = (px - (self.picture.x0, self.picture.y0)) * self.picture.scale * self.zoom
        on_page: NDArray[np.float64] = page + np.array([self.left, top])
        return on_page

    def _stroke(self) -> float:
        """Line width in points: thin enough for small objects, thicker on large pages."""
        return 0.12 * self.unit if len(self.picture.marks) <= NUMBERED else 0.07 * self.unit

    def _outline(self, ring: NDArray[np.float64], verdict: Verdict, clip: Rectangle) -> None:
        line = palette.VERDICTS[verdict]
        for colour, width, dash, alpha in (
            (palette.CASING, 2.1 * self._stroke(), (), 0.6),
            (line.colour, self._stroke(), line.dash, 1.0),
        ):
            patch = Polygon(ring, closed=True, fill=False, ec=colour, lw=width, alpha=alpha, zorder=2)
            if dash:
                patch.set_linestyle((0, dash))
            patch.set_joinstyle("miter")
            patch.set_capstyle("butt")
            self.axes.add_patch(patch)
            patch.set_clip_path(clip)

    def _labels(self, rings: NDArray[np.float64], frame: tuple[float, float, float, float]) -> list[str]:
        marks = self.picture.marks
        size = 0.8 if len(marks) <= NUMBERED else 0.62
        if len(marks) > CROWDED:
            return [f"{len(marks)} boxes are too many to number here; the GeoPackage has every number."]
        named = len(marks) <= NAMED
        texts = [[f"{m.text} {_short(m.name)}", m.text] if named else [m.text] for m in marks]
        pad = 0.22 * self.unit
        sizes = [
            [(self._text_width(t, size, bold=True) + 2 * pad, size * self.unit + 2.2 * pad) for t in variants]
            for variants in texts
        ]
        objects = np.hstack([rings.min(axis=1), rings.max(axis=1)])
        places = place_labels(objects, sizes, frame, gap=0.3 * self.unit)
        for mark, variants, extents, place in zip(marks, texts, sizes, places, strict=True):
            if place is not None:
                self._label(variants[place.variant], extents[place.variant], place, mark.verdict, size)
        left_out = places.count(None)
        notes = [] if named else [f"{len(marks)} boxes: labels show numbers only."]
        if left_out:
            notes.append(
                f"{left_out} of {len(marks)} labels left out where they would hide objects or other labels."
            )
        return notes

    def _label(
        self, text: str, extent: tuple[float, float], place: Place, verdict: Verdict, size: float
    ) -> None:
        colour = palette.VERDICTS[verdict].colour
        if place.leader:
            (x0, y0), (x1, y1) = place.leader
            for tint, width in ((palette.CASING, 0.09), (colour, 0.045)):
                self.axes.add_line(Line2D([x0, x1], [y0, y1], color=tint, lw=width * self.unit, zorder=5))
        width, height = extent
        pill = FancyBboxPatch(
            (place.x, place.y),
            width,
            height,
            boxstyle=f"round,pad=0,rounding_size={0.2 * self.unit}",
            fc=palette.CASING,
            ec=colour,
            alpha=0.9,
            lw=0.04 * self.unit,
            zorder=6,
        )
        self.axes.add_patch(pill)
        self._text(
            place.x + width / 2,
            place.y + height / 2,
            text,
            size,
            "#ffffff",
            bold=True,
            ha="center",
            va="center",
        )

    # --- legend, scale bar, north ----------------------------------------------------------------

    def _key(self, y: float) -> float:
        """Legend on the left, scale bar and north arrow on the right; returns the y below them."""
        unit, right = self.unit, self.page_w - self.margin
        line_y = y + 0.8 * unit
        if self.picture.north_deg is not None:
            self._north(right - 0.9 * unit, line_y, self.picture.north_deg)
            right -= 3.2 * unit
        start = right - self._scale_bar(right, line_y) - 2 * unit
        counts = Counter(m.verdict for m in self.picture.marks)
        x, bottom = self.margin, y + 1.6 * unit
        for verdict, line in palette.VERDICTS.items():
            if not counts[verdict]:
                continue
            text = f"{verdict} ({counts[verdict]})"
            width = 2.6 * unit + self._text_width(text, 0.9) + 1.4 * unit
            if x > self.margin and x + width > start:
                x, line_y, bottom = self.margin, line_y + 1.6 * unit, bottom + 1.6 * unit
            swatch = Rectangle((x, line_y - 0.55 * unit), 2.0 * unit, 1.1 * unit, fc="#6f7d78", ec="none")
            self.axes.add_patch(swatch)
            ends = [x + 0.2 * unit, x + 1.8 * unit]
            stroke = 0.1 * unit
            self.axes.add_line(Line2D(ends, [line_y] * 2, color=palette.CASING, lw=2.1 * stroke, alpha=0.6))
            self.axes.add_line(
                Line2D(
                    ends,
                    [line_y] * 2,
                    color=line.colour,
                    lw=stroke,
                    ls=(0, line.dash) if line.dash else "-",
                    dash_capstyle="butt",
                )
            )
            self._text(x + 2.6 * unit, line_y, text, 0.9, _INK, va="center")
            x += width
        return bottom

    def _scale_bar(self, right: float, y: float) -> float:
        """Draws a bar of a round length that ends at `right`; returns the width used."""
        per_page_px = (self.picture.gsd_m or 1.0) / (self.picture.scale * self.zoom)
        length = round_length(0.2 * self.image_w * per_page_px)
        text = _metres(length) if self.picture.gsd_m else f"{length:g} px"
        width, unit = length / per_page_px, self.unit
        x = right - width
        half = width / 2
        for i, colour in enumerate((_INK, _PAPER)):
            self.axes.add_patch(
                Rectangle((x + i * half, y - 0.18 * unit), half, 0.36 * unit, fc=colour, ec=_INK, lw=0.8)
            )
        text_w = self._text_width(text, 0.9)
        self._text(x - 0.6 * unit, y, text, 0.9, _INK, ha="right", va="center")
        return width + text_w + 0.6 * unit

    def _north(self, x: float, y: float, degrees: float) -> None:
        turn, unit = math.radians(degrees), self.unit
        up = np.array([math.sin(turn), -math.cos(turn)])
        side = np.array([-up[1], up[0]])
        centre = np.array([x, y])
        tip, tail = centre + 0.85 * unit * up, centre - 0.65 * unit * up
        notch = centre - 0.3 * unit * up
        for sign, colour in ((1, _INK), (-1, _PAPER)):
            shape = np.array([tip, tail + sign * 0.5 * unit * side, notch])
            self.axes.add_patch(Polygon(shape, closed=True, fc=colour, ec=_INK, lw=0.8))
        self._text(x - 1.1 * unit, y, "N", 0.9, _INK, bold=True, ha="right", va="center")

    # --- text ------------------------------------------------------------------------------------

    def _font(self, size: float, *, bold: bool = False) -> FontProperties:
        weight = "bold" if bold else "normal"
        return FontProperties(family=_FAMILY, weight=weight, size=size * self.unit * 72 / _DPI)

    def _text(self, x: float, y: float, text: str, size: float, colour: str, **options: Any) -> None:
        font = self._font(size, bold=options.pop("bold", False))
        if options.get("va") == "center":
            options["va"] = "center_baseline"
        self.axes.text(x, y, text, fontproperties=font, color=colour, zorder=7, parse_math=False, **options)

    def _text_width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Page pixels, from the font's own metrics."""
        font = get_font(findfont(self._font(size, bold=bold)))
        font.set_size(size * self.unit * 72 / _DPI, _DPI)
        font.set_text(text)
        return float(font.get_width_height()[0]) / 64  # FreeType counts in 1/64 pixel

    def _paragraph(
        self, text: str, y: float, size: float, colour: str, *, bold: bool = False, lines: int
    ) -> float:
        """Wrapped text from the left margin; returns the y below it. Longer text is cut and says so."""
        wrapped = self._wrap(text, size, bold=bold)
        if len(wrapped) > lines:
            last = wrapped[lines - 1]
            while " " in last and self._text_width(last + " ...", size, bold=bold) > self.width:
                last = last.rpartition(" ")[0]
            wrapped = [*wrapped[: lines - 1], last.rstrip(" .,;") + " ..."]
        step = 1.35 * size * self.unit
        for i, line in enumerate(wrapped):
            baseline = y + size * self.unit + i * step
            self._text(self.margin, baseline, line, size, colour, bold=bold, va="baseline")
        return y + len(wrapped) * step

    def _wrap(self, text: str, size: float, *, bold: bool) -> list[str]:
        """Lines no wider than the page. Words wider than a line are cut into pieces."""
        average = max(self._text_width("abcdefghij ", size, bold=bold) / 11, 1.0)
        most = max(8, int(self.width / average))
        lines: list[str] = []
        current = ""
        for word in text.split():
            for piece in (word[i : i + most] for i in range(0, len(word), most)):
                candidate = f"{current} {piece}".strip()
                if current and self._text_width(candidate, size, bold=bold) > self.width:
                    lines.append(current)
                    candidate = piece
                current = candidate
        return [*lines, current] if current else lines


def round_length(longest: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is at most `longest` (> 0)."""
    power = 10.0 ** math.floor(math.log10(longest))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= longest * (1 + 1e-9))


def _metres(length: float) -> str:
    if length >= 1000:
        return f"{length / 1000:g} km"
    return f"{length:g} m" if length >= 1 else f"{length * 100:g} cm"


def _short(name: str, most: int = 24) -> str:
    flat = " ".join(name.split())
    return flat if len(flat) <= most else flat[: most - 3].rstrip() + "..."
