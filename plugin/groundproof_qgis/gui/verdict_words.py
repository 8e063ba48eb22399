"""Verdicts and reviews in words a person would say, and what they mean.

Knows the engine's words for them. Refuses to know colours.
"""

from __future__ import annotations

from groundproof_qgis.i18n_text import tr

LIVE = ""
"""Of a box that is not final: it has no verdict yet."""


def verdict_words() -> dict[str, tuple[str, str]]:
    """(word, meaning) of each verdict, in the order of a legend."""
    return {
        "supported": (
            tr("supported"),
            tr("A second look, an independent model or a person sees it too."),
        ),
        "unchecked": (tr("unchecked"), tr("The model says so; nobody has looked again yet.")),
        "unsupported": (
            tr("unsupported"),
            tr("It stands in the answer without a sentence that points at it."),
        ),
        "contradicted": (tr("contradicted"), tr("A second look does not see it; it is not counted.")),
        "duplicate": (tr("duplicate"), tr("The same object is listed twice; it is not counted.")),
        "out-of-frame": (
            tr("out of frame"),
            tr("The box lies outside of what was shown; it is not counted."),
        ),
        LIVE: (
            tr("not final yet"),
            tr("One tile's own box; it gets its number when all tiles have answered."),
        ),
    }


def review_words() -> dict[str, str]:
    """What a person decided."""
    return {
        "accepted": tr("accepted"),
        "rejected": tr("rejected"),
        "adjusted": tr("adjusted"),
        "added": tr("added"),
    }


def verdict_word(verdict: str) -> str:
    """Of one verdict; the engine's word for one that is not known here."""
    return verdict_words().get(verdict, (verdict, ""))[0]


def verdict_meaning(verdict: str) -> str:
    """What it means, as a sentence."""
    return verdict_words().get(verdict, ("", ""))[1]


def review_word(review: str | None) -> str:
    """Of one review; "" for none."""
    return review_words().get(review, review) if review else ""
