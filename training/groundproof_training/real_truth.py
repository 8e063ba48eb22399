"""Real test pictures with their truth, and predictions judged against it, in numbers and on pictures.

Knows two annotation files, ignored objects and matching. Refuses to know models and averages (`real_evaluation`).
The imagery may be used for tests only.
"""

from __future__ import annotations

import ast
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from groundproof_training.matching import iou_matrix, match_pairs

Which = Literal["aircraft", "storage_tanks"]

IGNORED_IOU, IGNORED_SHARE = 0.25, 0.5
"""A prediction with this overlap with an ignored object, or this share of its area inside one, does not count."""

EXTREMES = 3
"""How many of the best and of the worst pictures are drawn."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """One folder of test pictures. scale: asked px per file px, from what sizes the model is trained for and the
    sensor's ground sampling distance, fixed before any score was seen."""

    question: str
    label: str
    scale: float


SETS: dict[str, PictureSet] = {
    # About 0.5 m: airplanes of 34 to 225 px (median 91) become 17 to 112 px, the sizes of the procedural scenes.
    "aircraft": PictureSet("How many airplanes are there?", "airplane", 0.5),
    # About 1.2 m: tanks of 4 to 90 px (median 17) already are within them.
    "storage_tanks": PictureSet("How many storage tanks are there?", "storage tank", 1.0),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One file with its truth: boxes (n, 4) and ignored (k, 4), x0 y0 x1 y1 in px of the file."""

    path: Path
    boxes: np.ndarray
    ignored: np.ndarray

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


class RealEvaluationError(ValueError):
    """A folder, a table or an output place that cannot be used; the message says why."""


def read_pictures(data_dir: Path, which: Which) -> list[Picture]:
    """Every picture of one set by name, with its truth. data_dir: holds aircraft/ or storage_tanks/.

    Boxes without an area (two in storage_tanks) are dropped. Raises RealEvaluationError.
    """
    if which not in SETS:
        raise RealEvaluationError(f"there is no set {which!r}; there is {', '.join(SETS)}")
    folder = data_dir / which
    table = folder / "annotations.csv"
    paths = {p.stem: p for p in sorted((folder / "images").glob("*.jpg"))}
    if not table.is_file() or not paths:
        raise RealEvaluationError(
            f"expected {table.name} and images/*.jpg in {folder}; one of them is missing"
        )
    boxes: dict[str, list[Any]] = {name: [] for name in paths}
    ignored: dict[str, list[Any]] = {name: [] for name in paths}
    with table.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                name = Path(row["image_id"]).stem
                box = _box(row, which)
                wanted = ignored if row["class"].startswith("Truncated") else boxes
            except (KeyError, ValueError, SyntaxError, TypeError) as err:
                raise RealEvaluationError(f"{table}, line {number}: {err!r} in {dict(row)}") from err
            if name in paths and box[2] > box[0] and box[3] > box[1]:
                wanted[name].append(box)
    return [Picture(path, as_boxes(boxes[name]), as_boxes(ignored[name])) for name, path in paths.items()]


def _box(row: dict[str, str], which: Which) -> tuple[float, float, float, float]:
    if which == "aircraft":
        ring = np.asarray(ast.literal_eval(row["geometry"]), dtype=float)
        (x0, y0), (x1, y1) = ring.min(0), ring.max(0)
    else:
        x0, y0, x1, y1 = ast.literal_eval(row["bounds"])
    return float(x0), float(y0), float(x1), float(y1)


def as_boxes(rows: list[Any]) -> np.ndarray:
    """Rows of four numbers as (n, 4) float64, (0, 4) for none."""
    return np.array(rows, dtype=float).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Predictions (n,) against one picture's truth (m,). hit, near: at IoU 0.5, 0.25; off, off_near: the ones that
    count neither way at these; found, found_near: (m,)."""

    hit: np.ndarray
    near: np.ndarray
    off: np.ndarray
    off_near: np.ndarray
    found: np.ndarray
    found_near: np.ndarray


def judge(said: np.ndarray, truth: np.ndarray, ignored: np.ndarray) -> Verdicts:
    """One-to-one, best overlap first; only what hits no true object may be excused by an ignored one."""
    excused = _excused(said, ignored)
    made = []
    for threshold in (0.5, 0.25):
        pairs = dict(match_pairs(said, truth, threshold))
        hit = np.isin(np.arange(len(said)), list(pairs))
        made.append((hit, excused & ~hit, np.isin(np.arange(len(truth)), list(pairs.values()))))
    (hit, off, found), (near, off_near, found_near) = made
    return Verdicts(hit, near, off, off_near, found, found_near)


def _excused(said: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    if not len(said) or not len(ignored):
        return np.zeros(len(said), dtype=bool)
    low = np.maximum(said[:, None, :2], ignored[None, :, :2])
    high = np.minimum(said[:, None, 2:], ignored[None, :, 2:])
    area = np.maximum((said[:, 2:] - said[:, :2]).prod(-1), 1e-9)
    inside = np.clip(high - low, 0, None).prod(-1) / area[:, None]
    close = (iou_matrix(said, ignored) >= IGNORED_IOU) | (inside > IGNORED_SHARE)
    excused: np.ndarray = close.any(axis=1)
    return excused


def draw_extremes(
    pictures: list[Picture], rows: list[dict[str, Any]], out: Path, which: Which, scale: float
) -> list[Path]:
    """The three best and three worst pictures by F1, as asked: truth green, ignored grey, right yellow, wrong red;
    what counts neither way blue. Those of an earlier call are replaced."""
    for old in out.glob(f"{which}-*-*.jpg"):
        old.unlink()
    by_name = {p.name: p for p in pictures}
    order = sorted((r for r in rows if r["true"]), key=lambda r: r["f1"], reverse=True)
    each = min(EXTREMES, -(-len(order) // 2))
    shown = [("best", k, r) for k, r in enumerate(order[:each], 1)]
    shown += [("worst", k, r) for k, r in enumerate(order[each:][: -each - 1 : -1], 1)]
    made = []
    for kind, k, row in shown:
        path = out / f"{which}-{kind}{k}-{row['image']}.jpg"
        if not cv2.imwrite(str(path), _drawn(by_name[row["image"]], row, scale)[..., ::-1]):
            raise RealEvaluationError(f"{path} cannot be written")
        made.append(path)
    return made


def _drawn(picture: Picture, row: dict[str, Any], scale: float) -> np.ndarray:
    pixels = cv2.imread(str(picture.path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise RealEvaluationError(f"{picture.path} is no picture that can be read")
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    image = np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)[..., ::-1])
    said = as_boxes(row["boxes"])
    v = judge(said, picture.boxes, picture.ignored)
    layers = (
        (picture.ignored, (150, 150, 150), 2),
        (picture.boxes, (0, 255, 0), 2),
        (said[~v.hit & ~v.off], (255, 0, 0), 1),
        (said[v.off], (90, 140, 255), 1),
        (said[v.hit], (255, 230, 0), 1),
    )
    for boxes, colour, thick in layers:
        for x0, y0, x1, y1 in np.round(boxes * scale).astype(int).tolist():
            cv2.rectangle(image, (x0, y0), (x1, y1), colour, thick)
    text = f"{row['true']} true, {row['said']} said, {row['hits']} right, F1 {row['f1']:.2f}"
    cv2.rectangle(image, (0, 0), (11 * len(text), 28), (0, 0, 0), -1)
    cv2.putText(image, text, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
    return image
