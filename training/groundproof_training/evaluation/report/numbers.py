"""How figures are printed: as many digits as their interval allows, shares in percent. Knows figures; refuses to know
where they stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from groundproof_training.evaluation.figures import Difference, Figure

NO_SHARES = ("mae", "rmse", "cider", "so-called cider", "length-ratio", "bias")
"""Beginnings of names of figures without a unit that are no share of 1."""
AIMS = {"bias-readable": 0.0, "length-ratio": 1.0}
"""Figures that are best at a value between others."""
MOST_DECIMALS = {True: 2, False: 4}
"""Of shares, in percent, and of all else."""
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Way:
    """How the values of one row are printed. share: in percent. least: decimals, however wide the interval."""

    share: bool
    unit: str = ""
    name: str = ""
    better: str = "higher"
    least: int = 0

    @classmethod
    def of(cls, figures: Iterable[Figure | Difference], least: int = 0) -> Way:
        """Of one metric's figures, at least one; they are printed alike."""
        row = list(figures)
        first = row[0]
        unit = next((one.unit for one in row if isinstance(one, Figure) and one.unit), "")
        known = [value for one in row for value in _values(one) if value is not None and math.isfinite(value)]
        share = not unit and not first.name.lower().startswith(NO_SHARES)
        # a published rule may name its number as it likes: what leaves 0 to 1 is no share
        share = share and all(-1e-9 <= value <= 1 + 1e-9 for value in known)
        return cls(share, unit, first.name, first.better, least)

    def number(self, value: float | None, half: float | None, sign: bool = False) -> str:
        """A value whose interval has that half width, without its unit; "not defined" for NaN."""
        if value is None or not math.isfinite(value):
            return "not defined"
        scale = 100.0 if self.share else 1.0
        decimals = self.decimals(half)
        text = f"{value * scale:{'+' if sign else ''},.{decimals}f}"
        return text.replace("-", "\u2212") if float(text.replace(",", "")) else text.lstrip("-+")

    def decimals(self, half: float | None) -> int:
        """Two significant digits of the half width; without one, one decimal of a percentage, two of all else."""
        scaled = 0.0 if half is None or not math.isfinite(half) else half * (100.0 if self.share else 1.0)
        if scaled <= 0:
            return max(self.least, 1 if self.share else 2)
        return min(MOST_DECIMALS[self.share], max(self.least, 1 - math.floor(math.log10(scaled))))

    @property
    def suffix(self) -> str:
        """Behind a value."""
        return " %" if self.share else f" {self.unit}" if self.unit else ""

    @property
    def arrow(self) -> str:
        """Which way is better, in one sign."""
        if self.name in AIMS:
            return f"\u2192{AIMS[self.name]:g}"
        return "\u2191" if self.better == "higher" else "\u2193"

    @property
    def direction(self) -> str:
        """The same in words."""
        if self.name in AIMS:
            return f"best at {AIMS[self.name]:g}"
        return f"{self.better} is better"

    def value(self, figure: Figure) -> str:
        """A figure without its interval."""
        text = self.number(figure.value, half_width(figure))
        return text if text == "not defined" else text + self.suffix

    def interval(self, figure: Figure) -> str:
        """In brackets; "" where there is none."""
        if figure.low is None or figure.high is None:
            return ""
        half = half_width(figure)
        return f"[{self.number(figure.low, half)}, {self.number(figure.high, half)}]"


def half_width(one: Figure | Difference) -> float | None:
    """Of the interval; None where there is none."""
    return None if one.low is None or one.high is None else (one.high - one.low) / 2


def p_text(p: float | None) -> str:
    """Three decimals below 0.1, two above."""
    return "" if p is None else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a difference says. kind: "better", "worse" (b than a), "none", "unknown"."""

    kind: str
    sentence: str


def verdict(d: Difference, a: str, b: str) -> Verdict:
    """In words. A difference is shown where the interval leaves out 0 and chance gives it in less than 5 of 100."""
    if not math.isfinite(d.b - d.a):
        return Verdict("unknown", "not defined for both")
    if d.low is None or d.high is None:
        return Verdict("unknown", "too few images to tell")
    if d.low <= 0 <= d.high:
        return Verdict("none", "no difference shown")
    if d.p is not None and d.p >= ALPHA:
        return Verdict("none", f"no difference shown (p is not below {ALPHA:g})")
    if d.name in AIMS:
        b_better = abs(d.b - AIMS[d.name]) < abs(d.a - AIMS[d.name])
    else:
        b_better = (d.b > d.a) == (d.better == "higher")
    return Verdict("better", f"{b} is better") if b_better else Verdict("worse", f"{b} is worse than {a}")


def _values(one: Figure | Difference) -> tuple[float | None, ...]:
    return (one.value, one.low, one.high) if isinstance(one, Figure) else (one.a, one.b)
