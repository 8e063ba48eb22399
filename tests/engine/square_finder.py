"""A stand-in for a model, for tests of everything around one: it really looks, and finds bright squares.

It answers in the canonical Geo-CoT form, per mille of the tile, one token (here: one character) a piece.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable

import numpy as np

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.models.base import Piece, Request
from groundproof.models.profiles import Profile
from groundproof.protocol import Finding, count_trace

PROFILE = Profile(
    name="tiny",
    title="finds bright squares",
    licence="Apache-2.0",
    source="embedded",
    prompt_style="native",
    frame=BoxFrame.PER_MILLE,
    patch_merge_px=28,
    tile_px=224,
    overlap_px=56,
)


class SquareFinder:
    """Finds axis-aligned bright squares (over 200) in each tile. `die_after`: requests before it dies."""

    def __init__(
        self, *, max_in_flight: int = 4, die_after: int | None = None, confused_by: int | None = None
    ) -> None:
        self.profile = PROFILE
        self.max_in_flight = max_in_flight
        self.identity = "square-finder"
        self.constrains = False
        self.continuous = False
        self.answered = 0
        self.die_after = die_after
        self.confused_by = confused_by
        self.closed = threading.Event()

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        for request in requests:
            if self.die_after is not None and self.answered >= self.die_after:
                raise KeyboardInterrupt
            self.answered += 1
            if self.confused_by is not None and self.answered == self.confused_by:
                yield Piece(request.request_id, "I would rather not say.")
                yield Piece(request.request_id, "", finish="stop")
                continue
            for character in self.say(*request.images):
                yield Piece(request.request_id, character, logprob=-0.1)
            yield Piece(request.request_id, "", finish="stop")

    def say(self, *images: np.ndarray) -> str:
        height, width = images[0].shape[:2]
        findings = []
        for number, rgb in enumerate(images, start=1):
            place = f"image {number}" if len(images) > 1 else ""
            for x0, y0, x1, y1 in squares(rgb):
                box = ModelBox(
                    *(
                        round(v, 3)
                        for v in (x0 / width * 1e3, y0 / height * 1e3, x1 / width * 1e3, y1 / height * 1e3)
                    )
                )
                findings.append(Finding("airplane", box, place))
        return count_trace("Look for bright squares.", findings, BoxFrame.PER_MILLE, ("airplane",))

    def close(self) -> None:
        self.closed.set()


def squares(rgb: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Boxes x0, y0, x1, y1 of connected bright areas."""
    from scipy.ndimage import find_objects, label

    named, _ = label(rgb.min(axis=2) > 200)
    return [(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in find_objects(named)]
