"""Airbus's two samples on Kaggle: aircraft in Pleiades extracts, oil tanks in SPOT extracts.

Knows their CSV files, which hold Python tuples as text; they are read as literals, never evaluated.
"""

from __future__ import annotations

import ast
import csv
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import Field

from groundproof_training.readers.base import DatasetCard, Problems, Reader, WrongFolderError, look_at
from groundproof_training.readers.objects import (
    Corners,
    Found,
    LabelledImage,
    ObjectOptions,
    cleaned,
    in_split,
)
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS, picture_of
from groundproof_training.samples import Split

PATCH_PX, STRIDE_PX = 800, 600
"""As DOTA's: an extract is 2560 px wide and holds up to 893 tanks."""


class AirbusOptions(ObjectOptions):
    """Extracts are read as patches unless `patch_px` is null."""

    patch_px: int | None = Field(PATCH_PX, gt=0)
    stride_px: int | None = Field(STRIDE_PX, gt=0)


def bounds_of(text: str) -> Corners:
    """ "(1205, 1493, 1231, 1516)" -> left, top, right, bottom, px. Raises ValueError."""
    values = _literal(text)
    if not isinstance(values, tuple | list) or len(values) != 4:
        raise ValueError(f"{text[:60]!r} is not four numbers")
    try:
        return tuple(float(v) for v in values)
    except (TypeError, OverflowError) as err:
        raise ValueError(f"{text[:60]!r} is not four numbers") from err


def polygon_bounds(text: str) -> Corners:
    """ "[(135, 522), (245, 522), ...]" -> left, top, right, bottom of the outline, px. Raises ValueError."""
    points = _literal(text)
    if not isinstance(points, list | tuple) or len(points) < 3:
        raise ValueError(f"{text[:60]!r} is no outline")
    try:
        xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    except (TypeError, ValueError, OverflowError) as err:
        raise ValueError(f"{text[:60]!r} is no outline") from err
    return min(xs), min(ys), max(xs), max(ys)


def _literal(text: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as err:
        raise ValueError(f"{text[:60]!r} is no Python literal") from err


class _AirbusReader(ObjectReader):
    """Both sets: a table with a row for each object."""

    options = AirbusOptions
    column: str
    read_box: Callable[[str], Corners]
    words: dict[str, str]
    truncated: frozenset[str] = frozenset()

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """By name of the picture; one that the table does not name holds no object."""
        table = root / "annotations.csv"
        for path in (table, root / "images"):
            if not path.exists():
                raise WrongFolderError(root, self.card, path.name)
        rows = self._rows(root, table, problems)
        names = {p.stem for p in (root / "images").iterdir() if p.suffix.lower() in (".jpg", ".png", ".tif")}
        for stem in sorted(names | set(rows)):
            if not in_split(stem, split, options):
                continue
            image = look_at(root, picture_of(root, ("images",), stem), options, problems)
            if image is None:
                continue
            classes = tuple(dict.fromkeys(self.words.values()))
            objects = cleaned(
                rows.get(stem, []), image, classes, options, problems, f"annotations.csv, {stem}", self.words
            )
            yield LabelledImage(stem, image, objects, classes)

    def _rows(self, root: Path, table: Path, problems: Problems) -> dict[str, list[Found]]:
        rows: defaultdict[str, list[Found]] = defaultdict(list)
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.DictReader(file)
            if not {"image_id", "class", self.column} <= set(reader.fieldnames or ()):
                raise WrongFolderError(root, self.card, f"a column {self.column} in annotations.csv")
            for number, row in enumerate(reader, start=2):
                try:
                    if not all(row[name] for name in ("image_id", "class", self.column)):
                        raise ValueError("a cell is empty")
                    box = type(self).read_box(row[self.column])
                except ValueError as err:
                    problems.add("broken label", f"annotations.csv, line {number}", str(err))
                    continue
                name = row["class"]
                rows[Path(row["image_id"]).stem].append(Found(name, box, truncated=name in self.truncated))
        return rows


class AircraftReader(_AirbusReader):
    """Airplanes; those the extract's edge cuts have a class of their own, here airplanes that are truncated."""

    card = DatasetCard(
        name="airbus-aircraft",
        title="Airbus Aircraft Detection (Pleiades sample)",
        tasks=BOX_TASKS,
        licence="CC BY-NC-SA 4.0",
        source="kaggle.com/datasets/airbusgeo/airbus-aircrafts-sample-dataset",
        layout=("annotations.csv (image_id, geometry, class)", "images/*.jpg"),
        splits=("train", "val", "test"),
        verified="the files themselves; it has no splits, ours are by hash",
    )
    column = "geometry"
    read_box = staticmethod(polygon_bounds)
    words = {"Airplane": "airplane", "Truncated_airplane": "airplane"}  # noqa: RUF012  (a constant)
    truncated = frozenset({"Truncated_airplane"})


class TanksReader(_AirbusReader):
    """Oil storage tanks."""

    card = DatasetCard(
        name="airbus-tanks",
        title="Airbus Oil Storage Detection (SPOT sample)",
        tasks=BOX_TASKS,
        licence="not stated",
        source="kaggle.com/datasets/airbusgeo/airbus-oil-storage-detection-dataset",
        layout=("annotations.csv (image_id, class, bounds)", "images/*.jpg"),
        splits=("train", "val", "test"),
        verified="the files themselves; it has no splits, ours are by hash",
    )
    column = "bounds"
    read_box = staticmethod(bounds_of)
    words = {"oil-storage-tank": "storage tank"}  # noqa: RUF012  (a constant)


READERS: tuple[Reader, ...] = (AircraftReader(), TanksReader())
