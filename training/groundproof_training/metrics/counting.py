"""Counts: reading the one number an answer states, and how far it is from the truth. Refuses to know boxes."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from groundproof.number_words import numbers_in

_ROUNDING = 1e-9
"""A tolerance that is a whole number of objects stays one: 0.1 x 30 is not less than 3."""
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_HEDGE = re.compile(
    r"\b(?:or|either|than|least|most|not|maybe|perhaps|possibly|nan|inf(?:inity)?|unknown|unsure)\b"
    r"|\d\s*[-–~/±+]|[-–~/±+<>≤≥]\s*\d",
    re.IGNORECASE,
)


def read_single(text: str) -> int | None:
    """The one whole number that a short answer states: "6", "six", "6 ships", "none"; else None.

    An answer that leaves a way out is none: "3 or 4", "3-4", "at least 3", "3+", "2.5", "NaN", two numbers.
    """
    text = text.strip()
    if not text or len(text) > 120 or _HEDGE.search(text):
        return None
    values = {number.value for number in numbers_in(text)}
    spelt = len(_DIGITS.findall(text))
    if len(values) != 1 or spelt > sum(not number.in_words for number in numbers_in(text)):
        return None
    return values.pop()


def relative(said: int, true: int, alpha: float = 1.0) -> float:
    """1 - alpha |said - true| / max(said, true), not below 0; both 0: 1. RSThinker's counting reward
    (arXiv 2509.22221, table 3); alpha is not published."""
    largest = max(abs(said), abs(true))
    return max(0.0, 1.0 - alpha * abs(said - true) / largest) if largest else 1.0


def near(said: NDArray[np.float64], true: NDArray[np.float64], tolerance: float = 0.0) -> NDArray[np.bool_]:
    """(n,), whether |said - true| <= tolerance x true; tolerance 0: exact. NaN where said is unreadable: never."""
    return np.abs(said - true) <= tolerance * np.abs(true) + _ROUNDING
