"""The audit: which pictures of one part of the data another part shows as well.

A part is one split of one dataset. Knows samples and looks; refuses to know readers and configurations.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import combinations, islice
from os import cpu_count
from pathlib import Path, PurePosixPath

import numpy as np

from groundproof_training.leakage.cache import LookCache
from groundproof_training.leakage.look import TRANSFORM_WORDS, Look, UnreadableError, Window, look
from groundproof_training.leakage.nearby import detail_of, find_near
from groundproof_training.progress import Progress
from groundproof_training.readers.base import Problems
from groundproof_training.samples import Sample, Split

GroupKey = tuple[str, Split]
"""Name of a dataset, and the split."""

STRENGTH: dict[Split, int] = {"train": 0, "val": 1, "test": 2}
"""Of two splits that share a picture, the weaker one loses it: tests stay as published."""


class PairKind(StrEnum):
    """Why two pictures are one, the surest first; a pair is listed once, with the surest."""

    SAME_FILE = "same file"
    SAME_BYTES = "same bytes"
    SAME_PIXELS = "same pixels"
    OVERLAP = "windows overlap"
    LOOKS_SAME = "looks the same"
    SAME_ORIGIN = "same original"


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """Our choices, none of them published. max_distance: bits of 64 in which two pHashes may differ (they differ in an
    even number nearly always: half of the bits are set). min_correlation: of the 32 px thumbnails; min_detail: of what
    is left without their 3 x 3 mean, which different places with alike layouts do not share. plain_detail: grey
    levels; thumbnails whose detail varies less are compared by bytes and pixels only. min_overlap: share of the
    smaller window. workers: threads that decode; None: one a core."""

    max_distance: int = 7
    min_correlation: float = 0.95
    min_detail: float = 0.7
    plain_detail: float = 0.8
    min_overlap: float = 0.0
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One split of one dataset. origin: (family, pattern): the first group of the pattern found in a file's name says
    from which original of that family it was cut; None where names do not tell."""

    name: str
    split: Split
    root: Path
    samples: Iterable[Sample]
    origin: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One picture as samples show it, and the samples of each part that do. pixels: of the whole file."""

    file: Path
    window: Window | None
    pixels: int
    samples: dict[GroupKey, list[str]] = field(default_factory=lambda: defaultdict(list))
    origins: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two views by number; the same number twice where one view stands in several parts. detail: words for people."""

    first: int
    second: int
    kind: PairKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found. views: all pictures, in the order of the samples. pairs: those of two parts, and within a part
    those of different files. unread: views by number that could not be looked at. plain: looked at, but without
    detail enough to compare by look."""

    parts: tuple[GroupKey, ...]
    views: tuple[View, ...]
    pairs: tuple[Pair, ...]
    unread: tuple[int, ...]
    plain: tuple[int, ...]
    problems: Problems
    options: AuditOptions

    def crossing(self, pair: Pair) -> Iterator[tuple[GroupKey, GroupKey]]:
        """The parts that the pair ties together, in the order of `parts`; one part with itself for a pair inside."""
        keys = set()
        for one in self.views[pair.first].samples:
            for other in self.views[pair.second].samples:
                if pair.first != pair.second or one != other:
                    keys.add(tuple(sorted((one, other), key=self.parts.index)))
        yield from sorted(keys, key=lambda key: (self.parts.index(key[0]), self.parts.index(key[1])))

    def table(self) -> dict[tuple[GroupKey, GroupKey], int]:
        """(row, column) -> pictures of the row that the column shows too; only what is not 0."""
        seen: defaultdict[tuple[GroupKey, GroupKey], set[int]] = defaultdict(set)
        for pair in self.pairs:
            for mine, theirs in ((pair.first, pair.second), (pair.second, pair.first)):
                for one in self.views[mine].samples:
                    for other in self.views[theirs].samples:
                        if mine != theirs or one != other:
                            seen[one, other].add(mine)
        return {key: len(views) for key, views in seen.items()}

    def leaks(self, weaker: Split = "train", stronger: Split = "test") -> list[Pair]:
        """Pairs that tie the two splits together, whatever the datasets."""
        wanted = {weaker, stronger}
        return [p for p in self.pairs if any({a[1], b[1]} == wanted for a, b in self.crossing(p))]

    def to_drop(self) -> dict[GroupKey, tuple[str, ...]]:
        """Samples without which no picture stands in two splits: of train what val or test show, of val what test
        shows. Tests are left as they are."""
        drop: defaultdict[GroupKey, set[str]] = defaultdict(set)
        for pair in self.pairs:
            for mine, theirs in ((pair.first, pair.second), (pair.second, pair.first)):
                strongest = max(STRENGTH[split] for _, split in self.views[theirs].samples)
                for key, ids in self.views[mine].samples.items():
                    if STRENGTH[key[1]] < strongest:
                        drop[key] |= set(ids)
        return {key: tuple(sorted(drop[key])) for key in self.parts if key in drop}

    def left_between_splits(self, dropped: Collection[str]) -> int:
        """Pairs that would still tie two splits together without these samples: 0 is the proof that a build does not
        leak, as far as this audit looks."""
        left = 0
        for pair in self.pairs:
            sides = [
                {
                    key[1]
                    for key, ids in self.views[n].samples.items()
                    if not all(one in dropped for one in ids)
                }
                for n in (pair.first, pair.second)
            ]
            left += any(a != b for a in sides[0] for b in sides[1])
        return left


Said = Callable[[str], None]


def audit_parts(
    parts: Iterable[Part],
    options: AuditOptions,
    cache: LookCache,
    problems: Problems,
    say: Said = lambda _: None,
) -> Audit:
    """Look at every picture once and compare. say: a line of progress now and then."""
    keys, views = _views(parts)
    looks = _look_at_all(views, options, cache, problems, say)
    pairs = _Pairs(views)
    for number, view in enumerate(views):
        if len(view.samples) > 1:
            pairs.add(number, number, PairKind.SAME_FILE)
    _exact(pairs, looks)
    _overlaps(pairs, looks, options)
    plain = _alike(pairs, looks, options)
    _origins(pairs)
    unread = tuple(number for number, one in enumerate(looks) if one is None)
    return Audit(tuple(keys), tuple(views), tuple(pairs.found.values()), unread, plain, problems, options)


def _views(parts: Iterable[Part]) -> tuple[list[GroupKey], list[View]]:
    keys: dict[GroupKey, None] = {}
    views: dict[tuple[Path, Window | None], View] = {}
    for part in parts:
        key = (part.name, part.split)
        keys.setdefault(key)
        for sample in part.samples:
            for image in sample.images:
                file = _located(part.root / image.path)
                window = None if image.shown == (0, 0, image.width, image.height) else image.window
                view = views.setdefault((file, window), View(file, window, image.width * image.height))
                ids = view.samples[key]
                if not ids or ids[-1] != sample.sample_id:
                    ids.append(sample.sample_id)
                if part.origin and (original := original_of(image.path, part.origin)):
                    view.origins.add(original)
    return list(keys), list(views.values())


def original_of(path: str, origin: tuple[str, str]) -> str:
    """The original that a file was cut from, by its name; "" where the name does not tell. origin: see `Part`."""
    family, pattern = origin
    match = re.search(pattern, PurePosixPath(path).name)
    return "" if match is None else f"{family}:{match[1] if match.re.groups else match[0]}"


def _located(path: Path) -> Path:
    """One name for one file, whichever folder a path begins at. The file's own name stays, for what it tells."""
    return _resolved(path.parent) / path.name


@lru_cache(maxsize=65_536)
def _resolved(folder: Path) -> Path:
    return folder.resolve()


def _look_at_all(
    views: list[View], options: AuditOptions, cache: LookCache, problems: Problems, say: Said
) -> list[Look | None]:
    """One look a view, None where it could not be read. Decoded beside this thread, a bounded number of files ahead."""
    of_file: defaultdict[Path, list[int]] = defaultdict(list)
    for number, view in enumerate(views):
        of_file[view.file].append(number)
    looks: list[Look | None] = [None] * len(views)
    todo: list[tuple[Path, list[int]]] = []
    for file, numbers in of_file.items():
        known = cache.find(file, [views[n].window for n in numbers])
        for number, one in zip(numbers, known, strict=True):
            looks[number] = one
        if missing := [n for n in numbers if looks[n] is None]:
            todo.append((file, missing))
    workers = options.workers or cpu_count() or 1
    waiting = iter(todo)
    progress = Progress(say, "files looked at", len(todo))
    with ThreadPoolExecutor(workers) as pool:

        def submit(file: Path, numbers: list[int]) -> tuple[Path, list[int], Future[list[Look]]]:
            return (
                file,
                numbers,
                pool.submit(
                    look, file, [views[n].window for n in numbers], max(views[n].pixels for n in numbers)
                ),
            )

        running = [submit(*job) for job in islice(waiting, 2 * workers)]
        while running:
            file, numbers, future = running.pop(0)
            running += [submit(*job) for job in islice(waiting, 1)]
            progress.step()
            try:
                seen = future.result()
            except UnreadableError as err:
                problems.add("broken image" if file.exists() else "no image", str(file), str(err))
                continue
            cache.keep(file, [views[n].window for n in numbers], seen)
            for number, one in zip(numbers, seen, strict=True):
                looks[number] = one
    return looks


class _Pairs:
    """Pairs in the order they are found; of one pair the first, surest kind stays."""

    def __init__(self, views: list[View]) -> None:
        self.views = views
        self.found: dict[tuple[int, int], Pair] = {}

    def add(self, first: int, second: int, kind: PairKind, detail: str = "") -> None:
        key = (min(first, second), max(first, second))
        self.found.setdefault(key, Pair(*key, kind, detail))

    def star(self, numbers: list[int], kind: PairKind, detail: str = "", *, within: bool = True) -> None:
        """Tie views that all show the same. Each is tied to the first view of every part, which is enough to know
        where each is shown: all pairs of a thousand black tiles would be a million. within: of one part too."""
        hubs: dict[GroupKey, int] = {}
        for number in numbers:
            for key in self.views[number].samples:
                hubs.setdefault(key, number)
        for number in numbers:
            for hub in set(hubs.values()):
                apart = len(self.views[hub].samples.keys() | self.views[number].samples.keys()) > 1
                if hub != number and (within or apart):
                    self.add(hub, number, kind, detail)


def _exact(pairs: _Pairs, looks: list[Look | None]) -> None:
    for kind, field_name in ((PairKind.SAME_BYTES, "sha256"), (PairKind.SAME_PIXELS, "pixels")):
        same: defaultdict[tuple[str, Window | None], list[int]] = defaultdict(list)
        for number, one in enumerate(looks):
            if one is not None:
                window = pairs.views[number].window if field_name == "sha256" else None
                same[getattr(one, field_name), window].append(number)
        for numbers in same.values():
            if len(numbers) > 1:
                pairs.star(numbers, kind)


def _overlaps(pairs: _Pairs, looks: list[Look | None], options: AuditOptions) -> None:
    """Windows of one file (by its bytes) that share pixels, where they stand in different parts. Within one part
    neighbours overlap by design."""
    of_bytes: defaultdict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(looks):
        if one is not None:
            of_bytes[one.sha256].append(number)
    for numbers in of_bytes.values():
        if all(pairs.views[n].window is None for n in numbers):
            continue
        for one, other in combinations(numbers, 2):
            a, b = pairs.views[one], pairs.views[other]
            if a.samples.keys() == b.samples.keys() and len(a.samples) == 1:
                continue
            share, pixels = _shared(a.window, b.window)
            if pixels and share > options.min_overlap:
                pairs.add(
                    one, other, PairKind.OVERLAP, f"{pixels:,} px of one file, {share:.0%} of the smaller"
                )


def _shared(a: Window | None, b: Window | None) -> tuple[float, int]:
    """Share of the smaller window, and pixels. A whole file holds every window of it."""
    if a is None or b is None:
        inside = a or b
        area = 0 if inside is None else (inside[2] - inside[0]) * (inside[3] - inside[1])
        return 1.0, area
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0, 0
    smaller = min((w[2] - w[0]) * (w[3] - w[1]) for w in (a, b))
    return width * height / smaller, width * height


def _alike(pairs: _Pairs, looks: list[Look | None], options: AuditOptions) -> tuple[int, ...]:
    """Add pairs that look the same; returns the views that are too plain to tell."""
    numbers = [number for number, one in enumerate(looks) if one is not None]
    if not numbers:
        return ()
    known = [one for one in looks if one is not None]
    thumbnails = np.stack([one.thumbnail for one in known])
    rough = np.concatenate(
        [detail_of(thumbnails[k : k + 8192]).std(axis=(1, 2)) for k in range(0, len(known), 8192)]
    )
    rich = np.flatnonzero(rough >= options.plain_detail)
    plain = tuple(numbers[k] for k in np.flatnonzero(rough < options.plain_detail))
    if not len(rich):
        return plain
    near = find_near(
        np.stack([known[k].hashes for k in rich]), thumbnails[rich],
        options.max_distance, options.min_correlation, options.min_detail,
    )  # fmt: skip
    for first, second, way, correlation, detail in zip(
        near.first.tolist(), near.second.tolist(), near.way.tolist(), near.correlation.tolist(), near.detail.tolist(),
        strict=True,
    ):  # fmt: skip
        words = f"{TRANSFORM_WORDS[way]}, correlation {correlation:.3f}, of detail {detail:.3f}"
        pairs.add(numbers[rich[first]], numbers[rich[second]], PairKind.LOOKS_SAME, words)
    return plain


def _origins(pairs: _Pairs) -> None:
    """Views of different parts whose names say that they were cut from one original."""
    of_origin: defaultdict[str, list[int]] = defaultdict(list)
    for number, view in enumerate(pairs.views):
        for origin in view.origins:
            of_origin[origin].append(number)
    for origin, numbers in of_origin.items():
        if len({key for n in numbers for key in pairs.views[n].samples}) > 1:
            pairs.star(numbers, PairKind.SAME_ORIGIN, origin, within=False)
