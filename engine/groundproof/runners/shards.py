"""A run's batches in pieces for several workers, so that none waits long for the last one.

Knows numbers alone. Refuses to know what works on a piece.
"""

from __future__ import annotations

from collections.abc import Sequence

LEFT_FOR_OTHERS = 2
"""A piece is this fraction of an even share of what is left: pieces shrink to single batches towards the end."""


def shards(batches: Sequence[int], workers: int, most: int) -> list[list[int]]:
    """Neighbouring batches together, in order, every batch once.

    workers: how many take pieces. most: batches of a piece, at least 1. Large pieces read ahead within a scene,
    small ones at the end keep every worker busy (guided self-scheduling, Polychronopoulos and Kuck 1987).
    """
    if workers < 1 or most < 1:
        raise ValueError(f"workers and most must be at least 1, got {workers} and {most}")
    made: list[list[int]] = []
    start = 0
    while start < len(batches):
        size = (len(batches) - start) // (LEFT_FOR_OTHERS * workers)
        size = max(1, min(size, most))
        made.append(list(batches[start : start + size]))
        start += size
    return made
