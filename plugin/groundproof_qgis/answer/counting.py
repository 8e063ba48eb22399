"""What is counted, by the engine's rule, while the analyst reviews and before the engine has said it again.

Knows verdicts, reviews and labels. Refuses to know which noun is a kind of which: the engine's audit names the boxes
that were not asked for, and their labels are taken from there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from groundproof_qgis.i18n_text import tr

NOT_COUNTED = frozenset({"duplicate", "out-of-frame", "contradicted"})
"""Verdicts of boxes that stay and are not counted, unless a person says that they are there."""

SEEN = frozenset({"accepted", "adjusted", "added"})
"""Reviews by which a person says: it is there. The engine makes such a box supported."""

BY_PLACE = frozenset({"ground", "change"})
"""Tasks whose answer counts every box, whatever it is called."""


@dataclass(frozen=True)
class Counts:
    """What a review makes of an answer. counted: boxes that answer the question."""

    counted: int = 0
    accepted: int = 0
    rejected: int = 0
    adjusted: int = 0
    added: int = 0

    @property
    def reviewed(self) -> int:
        """Boxes a person decided about."""
        return self.accepted + self.rejected + self.adjusted + self.added

    @property
    def sentence(self) -> str:
        """ "16 counted after your review (1 rejected)"; "17 counted" before any."""
        if not self.reviewed:
            return tr("{n} counted").format(n=self.counted)
        words = (
            (self.accepted, tr("{n} accepted")),
            (self.rejected, tr("{n} rejected")),
            (self.adjusted, tr("{n} adjusted")),
            (self.added, tr("{n} added")),
        )
        done = ", ".join(text.format(n=n) for n, text in words if n)
        return tr("{n} counted after your review ({done})").format(n=self.counted, done=done)


def is_counted(verdict: str | None, review: str | None) -> bool:
    """Whether a box of this verdict and review is counted, before asking what it shows."""
    if review == "rejected":
        return False
    return review in SEEN or verdict not in NOT_COUNTED


def count(
    rows: Iterable[tuple[str | None, str | None, str | None]],
    not_asked: Collection[str] = (),
    task: str = "",
) -> Counts:
    """Count rows of (verdict, review, label). not_asked: labels that do not answer the question; a row without a label
    answers every question.
    """
    excluded = frozenset() if task in BY_PLACE else frozenset(not_asked)
    n = 0
    reviews = dict.fromkeys(("accepted", "rejected", "adjusted", "added"), 0)
    for verdict, review, label in rows:
        if review in reviews:
            reviews[review] += 1
        if is_counted(verdict, review) and not (label and label in excluded):
            n += 1
    return Counts(n, **reviews)
