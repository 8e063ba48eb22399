"""Verdicts and reviews in words a person would say, and what they mean.

Knows the engine's words for them. Refuses to know colours.
"""

from __future__ import annotations

from collections.abc import Callable

from groundproof_qgis.i18n_text import tr

LIVE = ""
"""Of a box that is not final: it has no verdict yet."""


_VERDICTS: dict[str, Callable[[], tuple[str, str]]] = {
    "supported": lambda: (
        tr("supported"),
        tr("A second look, an independent model or a person sees it too."),
    ),
    "unchecked": lambda: (tr("unchecked"), tr("The model says so; nobody has looked again yet.")),
    "unsupported": lambda: (
        tr("unsupported"),
        tr("It stands in the answer without a sentence that points at it."),
    ),
    "contradicted": lambda: (tr("contradicted"), tr("A second look does not see it; it is not counted.")),
    "duplicate": lambda: (tr("duplicate"), tr("The same object is listed twice; it is not counted.")),
    "out-of-frame": lambda: (
        tr("out of frame"),
        tr("The box lies outside of what was shown; it is not counted."),
    ),
    LIVE: lambda: (
        tr("not final yet"),
        tr("One tile's own box; it gets its number when all tiles have answered."),
    ),
}
"""(word, meaning) of each verdict, in the order of a legend; made when they are said, in the language of then."""

_REVIEWS: dict[str, Callable[[], str]] = {
    "accepted": lambda: tr("accepted"),
    "rejected": lambda: tr("rejected"),
    "adjusted": lambda: tr("adjusted"),
    "added": lambda: tr("added"),
}


def verdict_word(verdict: str) -> str:
    """Of one verdict; the engine's word for one that is not known here."""
    said = _VERDICTS.get(verdict)
    return said()[0] if said is not None else verdict


def verdict_meaning(verdict: str) -> str:
    """What it means, as a sentence; "" for a verdict that is not known here."""
    said = _VERDICTS.get(verdict)
    return said()[1] if said is not None else ""


def review_word(review: str | None) -> str:
    """What a person decided; "" for nothing."""
    if not review:
        return ""
    said = _REVIEWS.get(review)
    return said() if said is not None else review
