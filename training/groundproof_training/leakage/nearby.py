"""Pairs of pictures that look the same: near 64-bit hashes first, then the thumbnails themselves.

Near hashes are found by multi-index hashing (Norouzi, Punjani, Fleet, "Fast search in Hamming space with multi-index
hashing", CVPR 2012): two hashes within distance d agree within d // 4 bits in at least one of four 16-bit parts, so a
table for each part finds every pair. Knows numbers. Refuses to know files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundproof_training.leakage.look import transformed

PARTS, PART_BITS = 4, 16
BLOCK = 4096
"""Hashes looked up together."""
MOST_AT_ONCE = 4_000_000
"""Candidates in memory at once; a block with more is halved."""
CONFIRM_BLOCK = 8192


@dataclass(frozen=True, slots=True)
class Near:
    """Pairs as columns: `first` < `second`; `way`: the transform (`look.TRANSFORMS`) of the first that gives the
    second. correlation: of the thumbnails, detail: of what is left when a thumbnail's 3 x 3 mean is taken away."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    way: NDArray[np.int64]
    correlation: NDArray[np.float64]
    detail: NDArray[np.float64]


def popcount(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Number of set bits (the usual sums of pairs, nibbles, bytes; NumPy has `bitwise_count` only since 2.0)."""
    one, two, four = (np.uint64(n) for n in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F))
    counted = values - ((values >> np.uint64(1)) & one)
    counted = (counted & two) + ((counted >> np.uint64(2)) & two)
    counted = (counted + (counted >> np.uint64(4))) & four
    return (counted * np.uint64(0x0101010101010101)) >> np.uint64(56)


def close_hashes(
    hashes: NDArray[np.uint64], max_distance: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """(first, second, way) of every pair first < second where hashes[first, way] and hashes[second, 0] differ in at
    most `max_distance` bits, in blocks. hashes: uint64 (N, ways). A pair comes once for each way."""
    plain = np.ascontiguousarray(hashes[:, 0])
    tables = [_table(_part(plain, part)) for part in range(PARTS)]
    masks = _masks(max_distance // PARTS)
    ways = hashes.shape[1]
    for start in range(0, len(hashes), max(1, BLOCK // ways)):
        stop = min(len(hashes), start + max(1, BLOCK // ways))
        rows = np.repeat(np.arange(start, stop), ways)
        way = np.tile(np.arange(ways), stop - start)
        found = [
            pair
            for pair in _search(hashes[start:stop].ravel(), rows, plain, tables, masks, max_distance)
            if len(pair[0])
        ]
        if not found:
            continue
        at, second = (np.concatenate(columns) for columns in zip(*found, strict=True))
        unique = np.unique(np.stack([at, second], axis=1), axis=0)
        yield rows[unique[:, 0]], unique[:, 1], way[unique[:, 0]]


def _search(
    queries: NDArray[np.uint64],
    rows: NDArray[np.int64],
    plain: NDArray[np.uint64],
    tables: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    masks: NDArray[np.int64],
    max_distance: int,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(place in queries, picture) of near hashes; a pair may come from several parts."""
    for part, (order, offsets) in enumerate(tables):
        yield from _in_part(
            queries, rows, np.arange(len(queries)), plain, part, order, offsets, masks, max_distance
        )


def _in_part(
    queries: NDArray[np.uint64], rows: NDArray[np.int64], at: NDArray[np.int64], plain: NDArray[np.uint64], part: int,
    order: NDArray[np.int64], offsets: NDArray[np.int64], masks: NDArray[np.int64], max_distance: int,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:  # fmt: skip
    keys = _part(queries[at], part)[:, None] ^ masks[None, :]
    begin = offsets[keys].ravel()
    counts = offsets[keys + 1].ravel() - begin
    total = int(counts.sum())
    if total > MOST_AT_ONCE and len(at) > 1:
        for half in np.array_split(at, 2):
            yield from _in_part(queries, rows, half, plain, part, order, offsets, masks, max_distance)
        return
    if not total:
        return
    source = np.repeat(np.repeat(at, len(masks)), counts)
    within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    candidate = order[np.repeat(begin, counts) + within]
    later = candidate > rows[source]
    source, candidate = source[later], candidate[later]
    near = popcount(queries[source] ^ plain[candidate]) <= max_distance
    yield source[near], candidate[near]


def _part(values: NDArray[np.uint64], part: int) -> NDArray[np.int64]:
    return ((values >> np.uint64(part * PART_BITS)) & np.uint64(0xFFFF)).astype(np.int64)


def _table(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pictures ordered by key, and where each key's begin."""
    order = np.argsort(keys, kind="stable")
    return order, np.searchsorted(keys[order], np.arange((1 << PART_BITS) + 1))


def _masks(radius: int) -> NDArray[np.int64]:
    """Every 16-bit number with at most `radius` bits set."""
    bits = [1 << bit for bit in range(PART_BITS)]
    return np.array(
        [sum(chosen) for n in range(radius + 1) for chosen in combinations(bits, n)], dtype=np.int64
    )


def detail_of(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What is left of thumbnails (N, 32, 32) when their 3 x 3 mean is taken away, float32 grey levels (N, 30, 30)."""
    grey = thumbnails.astype(np.float32)
    side = grey.shape[1] - 2
    mean = sum(grey[:, y : y + side, x : x + side] for y in range(3) for x in range(3)) / 9
    return grey[:, 1:-1, 1:-1] - mean


def find_near(
    hashes: NDArray[np.uint64],
    thumbnails: NDArray[np.uint8],
    max_distance: int,
    min_correlation: float,
    min_detail: float,
) -> Near:
    """Every pair that is near by hash and whose thumbnails agree; of several ways the best one.

    hashes: uint64 (N, 8); thumbnails: uint8 (N, 32, 32). Pictures without detail should be left out before: their
    hashes are noise.
    """
    columns: list[tuple[NDArray[Any], ...]] = []
    for first, second, way in close_hashes(hashes, max_distance):
        for start in range(0, len(first), CONFIRM_BLOCK):
            part = slice(start, start + CONFIRM_BLOCK)
            whole, detail = _agreement(thumbnails, first[part], second[part], way[part])
            good = (whole >= min_correlation) & (detail >= min_detail)
            columns.append(
                (first[part][good], second[part][good], way[part][good], whole[good], detail[good])
            )
    if not columns:
        nothing, no_numbers = np.zeros(0, np.int64), np.zeros(0)
        return Near(nothing, nothing, nothing, no_numbers, no_numbers)
    first, second, way, whole, detail = (np.concatenate(c) for c in zip(*columns, strict=True))
    order = np.lexsort((-detail, second, first))
    first, second = first[order], second[order]
    best = np.ones(len(first), dtype=bool)
    best[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    kept = order[best]
    return Near(first[best], second[best], way[kept], whole[kept], detail[kept])


def _agreement(
    thumbnails: NDArray[np.uint8], first: NDArray[np.int64], second: NDArray[np.int64], way: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one = np.empty((len(first), *thumbnails.shape[1:]), np.uint8)
    for number in np.unique(way):
        these = way == number
        one[these] = transformed(thumbnails[first[these]], int(number))
    other = thumbnails[second]
    whole = _correlation(one.astype(np.float32), other.astype(np.float32))
    return whole, _correlation(detail_of(one), detail_of(other))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pearson's, of each picture with its partner; 0 where one does not vary."""
    a = one.reshape(len(one), -1).astype(np.float64)
    b = other.reshape(len(other), -1).astype(np.float64)
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.divide((a * b).sum(axis=1), size, out=np.zeros(len(a)), where=size > 0)
