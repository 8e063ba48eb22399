"""The boxes of many cases as columns, which of them overlap, and which names fit. Knows cases; refuses to know figures.

Box i of case c may be object j of case c where both are in the same image of it and their names fit
(`rewards.reading.names_fit`: "plane" is "airplane"; a box without a name fits where at most one class is asked for, and
everything fits an object without a name). A name that may be several of the classes asked for fits none of them: else
"vehicle" for every small and every large vehicle would be as right as telling them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from groundproof.labels import normalise
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Status
from groundproof_training.metrics.boxes import Floats, areas
from groundproof_training.metrics.overlaps import Ints, Overlaps, overlaps
from groundproof_training.rewards.reading import names_fit
from groundproof_training.samples.labels import class_name

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """Boxes (n,) of many cases, case after case. case: index of each one's case. label: index into names. quads:
    (n, 8), NaN for upright ones; None where no case has any. scores: (n,), None unless every box has one; -inf ranks
    last. listed: (cases,), cases whose source has corners for its boxes."""

    xyxy: Floats
    case: Ints
    image: Ints
    label: Ints
    names: tuple[str, ...]
    quads: Floats | None
    scores: Floats | None
    ignore: Flags
    listed: Flags

    def __len__(self) -> int:
        return len(self.case)

    @classmethod
    def of(cls, sets: Sequence[BoxSet]) -> Columns:
        """One set for each case, in their order."""
        sizes = np.fromiter((len(one) for one in sets), np.int64, len(sets))
        total = int(sizes.sum())
        written = list(chain.from_iterable(one.labels for one in sets))
        names = tuple(dict.fromkeys(written))
        place = {name: k for k, name in enumerate(names)}
        filled = [one for one in sets if len(one)]
        quads = None
        listed = np.fromiter((one.quads is not None for one in sets), bool, len(sets))
        if any(one.quads is not None for one in filled):
            quads = np.concatenate(
                [np.full((len(one), 8), np.nan) if one.quads is None else one.quads for one in filled]
            )
        scores = None
        if filled and all(one.scores is not None for one in filled):
            scores = np.concatenate([one.scores for one in filled if one.scores is not None])
            scores = None if np.isnan(scores).any() or np.isposinf(scores).any() else scores
        ignore = np.zeros(total, dtype=bool)
        if any(one.ignore is not None for one in filled):
            ignore = np.concatenate(
                [np.zeros(len(one), dtype=bool) if one.ignore is None else one.ignore for one in filled]
            )
        return cls(
            np.concatenate([one.xyxy for one in filled]) if filled else np.zeros((0, 4)),
            np.repeat(np.arange(len(sets)), sizes),
            np.fromiter(chain.from_iterable(one.images for one in sets), np.int64, total),
            np.fromiter(map(place.__getitem__, written), np.int64, total),
            names,
            quads,
            scores,
            ignore,
            listed,
        )

    def only(self, keep: Flags) -> Columns:
        """Those where `keep` is true."""
        return Columns(
            self.xyxy[keep],
            self.case[keep],
            self.image[keep],
            self.label[keep],
            self.names,
            None if self.quads is None else self.quads[keep],
            None if self.scores is None else self.scores[keep],
            self.ignore[keep],
            self.listed,
        )

    def area(self, turned: Flags | None = None) -> Floats:
        """(n,), of the corners where there are any, else of the upright box; 0 of a box with a number that is none.
        turned: (cases,), those whose corners are to be used; None: all."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = areas(self.xyxy)
            if self.quads is not None:
                x, y = self.quads[:, ::2], self.quads[:, 1::2]
                made = np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2
                use = np.isfinite(made) if turned is None else np.isfinite(made) & turned[self.case]
                found = np.where(use, made, found)
        return np.where(np.isfinite(found), found, 0.0)

    def per_case(self, chosen: Flags | Ints | None = None) -> Floats:
        """How many boxes, or chosen boxes, each case has: (cases,)."""
        case = self.case if chosen is None else self.case[chosen]
        return np.bincount(case, minlength=len(self.listed)).astype(np.float64)

    def polygons_for(self, turned: Flags) -> Floats | None:
        """Corners (n, 8) of the boxes of cases (cases,) that are compared as polygons, an upright box's own corners
        where it has no others; NaN for the rest."""
        if self.quads is None or not turned.any():
            return None
        x0, y0, x1, y1 = self.xyxy.T
        upright = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1)
        corners = np.where(np.isfinite(self.quads).all(axis=1)[:, None], self.quads, upright)
        return np.where(turned[self.case][:, None], corners, np.nan)


def said_boxes(cases: Sequence[Case]) -> list[BoxSet]:
    """The answers' boxes; none of what is no readable answer."""
    return [case.said.boxes if case.said.status is Status.OK else NO_BOXES for case in cases]


def overlap_of(said: Columns, true: Columns, least: float = 0.0) -> Overlaps:
    """Pairs of one image of one case that overlap; as polygons where both sides list corners, else as upright
    boxes."""
    turned = said.listed & true.listed
    images = np.concatenate([said.image, true.image])
    low = int(images.min()) if len(images) else 0
    span = int(images.max()) - low + 1 if len(images) else 1
    return overlaps(
        said.xyxy,
        said.case * span + (said.image - low),
        true.xyxy,
        true.case * span + (true.image - low),
        said_quads=said.polygons_for(turned),
        true_quads=true.polygons_for(turned),
        least=least,
    )


def asked_of(cases: Sequence[Case]) -> tuple[Ints, list[tuple[str, ...]]]:
    """What was asked for: index of each case's (cases,), and all of them, each once."""
    each = [case.asked for case in cases]
    all_of_them = list(dict.fromkeys(each))
    place = {one: k for k, one in enumerate(all_of_them)}
    return np.fromiter(map(place.__getitem__, each), np.int64, len(each)), all_of_them


def fitting(pairs: Overlaps, said: Columns, true: Columns, cases: Sequence[Case]) -> Overlaps:
    """The pairs whose names fit."""
    if not len(pairs):
        return pairs
    asked, askings = asked_of(cases)
    key = said.label[pairs.said] * len(true.names) + true.label[pairs.true]
    key = key * len(askings) + asked[said.case[pairs.said]]
    keys, at = np.unique(key, return_inverse=True)
    fits = [
        may_be(said.names[a // len(true.names)], true.names[a % len(true.names)], askings[b])
        for a, b in (divmod(one, len(askings)) for one in keys.tolist())
    ]
    return pairs if all(fits) else pairs.where(np.array(fits)[at])


def may_be(said: str, true: str, asked: tuple[str, ...]) -> bool:
    """Whether names fit; see the module."""
    return not true.strip() or (names_fit(said, true, asked) and not _leaves_open(said, asked))


@lru_cache(maxsize=8192)
def _leaves_open(said: str, asked: tuple[str, ...]) -> bool:
    if len(asked) < 2 or not said.strip():
        return False
    classes = {class_name(one) for one in asked}
    if class_name(said) in classes or normalise(said) in classes:
        return False
    return sum(names_fit(said, one, ()) for one in classes) > 1
