"""The images of a row, in the size the model sees, or another row's where a file is broken.

Knows files, resizing and substitutes. Refuses to know tokens.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict

from PIL import Image, UnidentifiedImageError

from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import open_shown
from groundproof_training.tuning.rows import Row, Rows

KEPT = 8
"""Rows whose images stay in memory: GRPO asks for one row k times in a row."""

TRIES = 100
"""Broken rows in a row after which the data, not a file, is broken."""

BROKEN = (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError)


class Pictures:
    """Rows with their images. A row whose image is broken is named and the next one takes its place, always the same
    one, so that the k answers of a GRPO group stay answers to one question."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._kept: OrderedDict[int, tuple[Row, list[Image.Image]]] = OrderedDict()
        self._broken: set[int] = set()

    def get(self, index: int) -> tuple[Row, list[Image.Image]]:
        """The row and its images, RGB, each of its `seen` size. Raises TrainingError when nothing near it opens."""
        for step in range(min(TRIES, len(self._rows))):
            place = (index + step) % len(self._rows)
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._kept[place]
            if place in self._broken:
                continue
            row = self._rows[place]
            try:
                images = [_seen(self._rows, row, number, size) for number, size in enumerate(row.seen)]
            except BROKEN as err:
                self._broken.add(place)
                why = str(err).splitlines()[0] if str(err) else type(err).__name__
                self._rows.left_out.add("broken image", row.sample.sample_id, why)
                continue
            self._kept[place] = row, images
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return row, images
        raise TrainingError(
            f"{min(TRIES, len(self._rows))} samples one after another have broken images, the first "
            f"{self._rows[index].sample.sample_id}; look at {self._rows.root}"
        )


def _seen(rows: Rows, row: Row, number: int, size: tuple[int, int]) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = open_shown(rows.root, row.sample.images[number])
    shown = row.sample.images[number].shown_size
    if picture.size != shown:
        raise ValueError(f"{row.sample.images[number].path} is {picture.size} px, its sample says {shown}")
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)
