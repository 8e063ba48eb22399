"""Intervals as small drawings beside the numbers they repeat. Knows figures; refuses to know tables.

Inline SVG with classes only, so that the page's colours for light, dark and print apply. Each model has a colour and a
shape of its own: one of them is enough to tell it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from groundproof_training.evaluation.figures import Difference, Figure

STYLES = 6
"""Colours in the style sheet; shapes are as many, and together they repeat after 6 models."""
WIDTH, EDGE, LINE = 200, 8, 13
_SPAN = WIDTH - 2 * EDGE


def strip(figures: Sequence[Figure | None], styles: Sequence[int]) -> str:
    """Values and intervals of one share, one line for each model, on 0 to 100 %; "" where nothing is to be drawn.
    styles: number of each figure's model."""
    drawn = [
        (line, style, one)
        for line, (style, one) in enumerate(zip(styles, figures, strict=True))
        if one is not None and math.isfinite(one.value)
    ]
    if not drawn:
        return ""
    height = LINE * len(figures) + 4
    parts = [_grid(height, (0.0, 0.25, 0.5, 0.75, 1.0))]
    for line, style, one in drawn:
        parts.append(_one(style, one.value, one.low, one.high, 2 + LINE * line + LINE / 2))
    return _svg(height, "".join(parts))


def difference_strip(one: Difference, reach: float, style: int) -> str:
    """A difference of shares and its interval around 0. reach: the largest number either side, > 0."""
    if not math.isfinite(one.b - one.a):
        return ""

    def place(value: float | None) -> float | None:
        return None if value is None else 0.5 + value / reach / 2

    height = LINE + 4
    found = (place(one.b - one.a), place(one.low), place(one.high))
    middle = _one(style, found[0] or 0.0, found[1], found[2], 2 + LINE / 2)
    return _svg(height, _grid(height, (0.0, 1.0)) + _line(0.5, height, "zero") + middle)


def axis(low: str, middle: str, high: str) -> str:
    """What a column of strips stands for, above it."""
    y = 11
    marks = (
        f'<text x="{EDGE}" y="{y}">{low}</text>'
        f'<text x="{WIDTH / 2:g}" y="{y}" text-anchor="middle">{middle}</text>'
        f'<text x="{WIDTH - EDGE}" y="{y}" text-anchor="end">{high}</text>'
    )
    return _svg(14, marks, "axis")


def mark(style: int) -> str:
    """A model's colour and shape, for legends."""
    return (
        f'<svg class="mark" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">'
        f"{_shape(style, 7, 7)}</svg>"
    )


def _svg(height: float, inside: str, name: str = "strip") -> str:
    return (
        f'<svg class="{name}" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'aria-hidden="true">{inside}</svg>'
    )


def _grid(height: float, at: Sequence[float]) -> str:
    return "".join(_line(share, height, "grid") for share in at)


def _line(share: float, height: float, name: str) -> str:
    x = _x(share)
    return f'<line class="{name}" x1="{x:g}" x2="{x:g}" y1="0" y2="{height:g}"/>'


def _x(share: float) -> float:
    return round(EDGE + min(1.0, max(0.0, share)) * _SPAN, 2)


def _one(index: int, value: float, low: float | None, high: float | None, y: float) -> str:
    style = index % STYLES
    bar = ""
    if low is not None and high is not None:
        bar = f'<line class="s{style} bar" x1="{_x(low):g}" x2="{_x(high):g}" y1="{y:g}" y2="{y:g}"/>'
    return bar + _shape(index, _x(value), y)


def _shape(index: int, x: float, y: float) -> str:
    style = index % STYLES
    name = f'class="s{style} point"'
    if style == 0:
        return f'<circle {name} cx="{x:g}" cy="{y:g}" r="4"/>'
    corners = {
        1: ((-3.6, -3.6), (3.6, -3.6), (3.6, 3.6), (-3.6, 3.6)),
        2: ((0, -4.8), (4.4, 3.4), (-4.4, 3.4)),
        3: ((0, -5), (5, 0), (0, 5), (-5, 0)),
        4: ((0, 4.8), (4.4, -3.4), (-4.4, -3.4)),
        5: ((-4.6, -1.6), (4.6, -1.6), (4.6, 1.6), (-4.6, 1.6)),
    }[style]
    points = " ".join(f"{x + dx:g},{y + dy:g}" for dx, dy in corners)
    return f'<polygon {name} points="{points}"/>'
