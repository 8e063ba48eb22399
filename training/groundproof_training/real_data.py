"""Real imagery that may be trained on: tree points in NAIP pictures, vehicles in thermal drone frames; and crops.

    images = [*read_trees_naip(data / "trees_naip"), *read_thermal_uav(data / "thermal_uav")]
    crop = crops(rng, images[0], 224, 224)

Knows files, labels and what a person saw in every picture; invents nothing: a tree point stays a point, and a class
nobody looked for is neither there nor absent. Refuses to know questions and models.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio

from groundproof_training.cells import CELL_PX

SHORTEST_PX, LONGEST_PX = 168, 336
"""Range of the sides of a crop; they are multiples of one merged vision token."""

SCALES = (0.7, 1.6)
"""Range of resampling: an object keeps a plausible size for its class between 0.4 and 0.9 m per pixel."""

RESAMPLED_SHARE = 0.5
MIN_VISIBLE = 0.35
"""Share of its area that a box keeps inside a crop to stay a box, as in the procedural scenes; what is left of
one with less becomes an ignored area."""

SPLIT_SALT = "real-1"
"""Chosen so that the held-out part holds some of everything: 18 of the 100 NAIP pictures, 9 of the 60 thermal
frames, among them frames with vehicles. Changing it makes every held-out figure another one."""

TREES_NAIP_SOURCE = "urban-tree-detection-data (J. Ventura and others), NAIP imagery of USDA"
TREES_NAIP_LICENCE = "CC-BY-4.0"
TREES_NAIP_NOTICE = (
    "Tree positions and NAIP pictures: Urban Tree Detection Data by Jonathan Ventura and others, "
    "https://github.com/jonathanventura/urban-tree-detection-data, CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/); the imagery under it is NAIP of the United States Department of "
    "Agriculture, public domain. Changes: crops, resampling and questions made from the labels."
)

THERMAL_UAV_SOURCE = "HIT-UAV (Jiashun Suo, Tianyi Wang and others)"
THERMAL_UAV_LICENCE = "CC-BY-4.0"
THERMAL_UAV_NOTICE = (
    "Thermal drone frames with boxes: HIT-UAV, a high-altitude infrared thermal dataset, by Jiashun Suo, Tianyi Wang, "
    "Xingzhou Zhang, Haiyang Chen, Wei Zhou and Weisong Shi (https://doi.org/10.1038/s41597-023-02066-6), "
    "https://github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset, CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/). Changes: crops, resampling and questions made from the labels."
)

NOTICES = (TREES_NAIP_NOTICE, THERMAL_UAV_NOTICE)
"""Lines for NOTICE and the model card, when both were trained on."""

RARE = ("airplane", "ship", "storage tank")
"""Classes that a suburb or a campus may be without; each picture was looked at for them."""

NOT_RULED_OUT = {
    "long_beach_2018_47": ("ship",),  # a park lake with a fountain and glitter that may hide a small boat
    "palm_springs_2016_97": ("ship",),  # the edge of a dark pond on a golf course
    "palm_springs_2018_5": ("storage tank",),  # a plant yard with chillers and unclear round fittings
    "santa_monica_2016_70": ("storage tank",),  # a twelve-sided flat grey building that looks like one
}
"""NAIP pictures -> classes that a person, looking at the enlarged picture, did not want to rule out. In the 96
others: houses, streets, car parks, warehouses, fields, desert and a golf course, none of `RARE`."""

VEHICLES = frozenset({"Car", "OtherVehicle"})
"""HIT-UAV categories that are this project's "vehicle" (OtherVehicle: buses, vans and lorries)."""


Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 px."""


@dataclass(frozen=True, slots=True)
class RealImage:
    """One real picture and what is known of it. Pixel coordinates are continuous, (0, 0) the outer corner.

    name: the file's, without its ending. image: (H, W, 3) uint8 RGB; thermal frames repeat one band.
    boxes: (n, 4) float32 x0 y0 x1 y1 px; labels: their n class names.
    points: (m, 2) float32 x y px, positions without a size; point_labels: their m class names.
    absent: classes that are certainly nowhere in it. complete: classes whose every object is a box, a point or in
    an ignored area. A class in neither is unknown, whatever the labels hold.
    ignored: (k, 4) px, areas where a prediction is neither right nor wrong.
    """

    name: str
    image: np.ndarray
    boxes: np.ndarray
    labels: tuple[str, ...]
    points: np.ndarray
    point_labels: tuple[str, ...]
    absent: tuple[str, ...]
    complete: tuple[str, ...]
    ignored: np.ndarray
    source: str
    licence: str

    @property
    def held_out(self) -> bool:
        """Whether it is kept for evaluation; see `is_held_out`."""
        return is_held_out(self.name)


class RealDataError(ValueError):
    """A folder or file is not what was expected; the message says what was found."""


def place_of(name: str) -> str:
    """What a file's name says of where it was taken, so that one place never lies on both sides of the split.

    NAIP: town and number without the year (eleven pairs show one place twice; palm_springs 64 and 65 overlap).
    Thermal: day or night and altitude, which tell the flights apart; frames of one flight overlap.
    """
    parts = Path(name).stem.split("_")
    if parts[0].isdigit():
        return "_".join(parts[:2])
    place = "_".join([*parts[:-2], parts[-1]])
    return "palm_springs_64" if place == "palm_springs_65" else place


def is_held_out(name: str) -> bool:
    """About one in five, by the hash of the place in the file's name; the same for ever."""
    digest = hashlib.sha256(f"{SPLIT_SALT}:{place_of(name)}".encode()).hexdigest()
    return int(digest[:8], 16) % 5 == 0


def read_trees_naip(folder: Path) -> list[RealImage]:
    """Every NAIP picture (bands 1 to 3) with its tree points, by name. folder: holds images/ and points_px/.

    Raises RealDataError when the folder is not that.
    """
    pictures = _listed(folder / "images", "*.tif", "NAIP pictures (images/*.tif, points_px/*.csv)")
    made = []
    for path in pictures:
        with rasterio.open(path) as file:
            if file.count < 3 or file.dtypes[0] != "uint8":
                raise RealDataError(
                    f"{path} has {file.count} bands of {file.dtypes[0]}; expected red, green, blue as uint8"
                )
            image = np.ascontiguousarray(np.moveaxis(file.read((1, 2, 3)), 0, 2))
        points = _points(folder / "points_px" / f"{path.stem}.csv")
        doubtful = NOT_RULED_OUT.get(path.stem, ())
        made.append(
            RealImage(
                path.stem,
                image,
                _boxes([]),
                (),
                points,
                ("tree",) * len(points),
                tuple(c for c in RARE if c not in doubtful),
                ("tree",),
                _boxes([]),
                TREES_NAIP_SOURCE,
                TREES_NAIP_LICENCE,
            )
        )
    return made


def _listed(folder: Path, pattern: str, what: str) -> list[Path]:
    if not folder.is_dir():
        found = sorted(p.name for p in folder.parent.iterdir())[:8] if folder.parent.is_dir() else None
        there = "which does not exist" if found is None else f"which holds {', '.join(found) or 'nothing'}"
        raise RealDataError(f"expected {what} in {folder.parent}, {there}")
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise RealDataError(f"expected {what}; {folder} holds no {pattern}")
    return paths


def _points(path: Path) -> np.ndarray:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
    except FileNotFoundError as err:
        raise RealDataError(f"{path} is missing; every picture needs its points, if only the header") from err
    except (KeyError, ValueError, TypeError) as err:
        raise RealDataError(f"{path} is no table of columns x, y in px: {err!r}") from err
    # Whole pixels: points_map/ lies 0 to 1 px further, 0.5 in the mean, so the middle of the pixel is meant.
    return np.array(rows, dtype=np.float32).reshape(-1, 2) + np.float32(0.5)


def read_thermal_uav(folder: Path) -> list[RealImage]:
    """Every thermal frame with its vehicles, by name. folder: holds images/ and annotations.json (COCO but for the
    key `annotation`; boxes x, y, width, height from the top left).

    People, bicycles and DontCare regions are ignored areas. All 60 frames were looked at: streets, car parks,
    sports grounds and flat ground, none of `RARE`. Raises RealDataError when the folder is not that.
    """
    path = folder / "annotations.json"
    _listed(folder / "images", "*.jpg", "thermal frames (images/*.jpg, annotations.json)")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        names = {c["id"]: c["name"] for c in table["categories"]}
        by_image: dict[int, list[dict[str, Any]]] = {i["id"]: [] for i in table["images"]}
        for one in table["annotation"]:
            by_image[one["image_id"]].append(one)
        listed = sorted(table["images"], key=lambda i: i["filename"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise RealDataError(
            f"{path} is not HIT-UAV's table with images, categories and annotation: {err!r}"
        ) from err
    return [_thermal(folder / "images" / i["filename"], by_image[i["id"]], names) for i in listed]


def _thermal(path: Path, found: list[dict[str, Any]], names: dict[int, str]) -> RealImage:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise RealDataError(f"{path} is missing or no picture, although the table names it")
    height, width = pixels.shape[:2]
    vehicles: list[Box] = []
    ignored: list[Box] = []
    for one in found:
        x, y, w, h = one["bbox"]
        box: Box = (max(0, x), max(0, y), min(width, x + w), min(height, y + h))
        if box[2] <= box[0] or box[3] <= box[1]:
            raise RealDataError(
                f"{path.name}: the box {one['bbox']} lies outside the frame of {width} x {height} px"
            )
        (vehicles if names[one["category_id"]] in VEHICLES else ignored).append(box)
    return RealImage(
        path.stem,
        np.ascontiguousarray(pixels[..., ::-1]),
        _boxes(vehicles),
        ("vehicle",) * len(vehicles),
        np.zeros((0, 2), dtype=np.float32),
        (),
        RARE,
        ("vehicle",),
        _boxes(ignored),
        THERMAL_UAV_SOURCE,
        THERMAL_UAV_LICENCE,
    )


def _boxes(rows: list[Box]) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def crops(rng: np.random.Generator, image: RealImage, width: int, height: int) -> RealImage:
    """One random crop of `width` x `height` px, in half of all cases from the picture resampled by 0.7 to 1.6.

    Boxes are clipped and stay while `MIN_VISIBLE` of their area is inside; points move along. A picture smaller than
    the crop is enlarged as far as needed, even past 1.6. Raises ValueError for sides that are no multiple of 28 from
    168 to 336 px.
    """
    for side in (width, height):
        if side % CELL_PX or not SHORTEST_PX <= side <= LONGEST_PX:
            raise ValueError(
                f"a side of {side} px; allowed: multiples of {CELL_PX} from {SHORTEST_PX} to {LONGEST_PX}"
            )
    rows, columns = image.image.shape[:2]
    scale = float(np.exp(rng.uniform(*np.log(SCALES)))) if rng.random() < RESAMPLED_SHARE else 1.0
    scaled = _resampled(image, max(scale, width / columns, height / rows))
    rows, columns = scaled.image.shape[:2]
    x0, y0 = int(rng.integers(columns - width + 1)), int(rng.integers(rows - height + 1))
    return _window(scaled, x0, y0, width, height)


def _resampled(image: RealImage, scale: float) -> RealImage:
    if scale == 1.0:
        return image
    rows, columns = image.image.shape[:2]
    size = (int(np.ceil(columns * scale - 1e-6)), int(np.ceil(rows * scale - 1e-6)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    factor = np.array([size[0] / columns, size[1] / rows], dtype=np.float32)
    return replace(
        image,
        image=cv2.resize(image.image, size, interpolation=how),
        boxes=image.boxes * np.tile(factor, 2),
        points=image.points * factor,
        ignored=image.ignored * np.tile(factor, 2),
    )


def _window(image: RealImage, x0: int, y0: int, width: int, height: int) -> RealImage:
    boxes, share = _clipped(image.boxes, x0, y0, width, height)
    keep = share >= MIN_VISIBLE
    ignored, left = _clipped(image.ignored, x0, y0, width, height)
    points = image.points - np.array([x0, y0], dtype=np.float32)
    inside: np.ndarray = np.all((points >= 0) & (points < (width, height)), axis=-1)
    return replace(
        image,
        image=np.ascontiguousarray(image.image[y0 : y0 + height, x0 : x0 + width]),
        boxes=boxes[keep],
        labels=tuple(label for label, kept in zip(image.labels, keep, strict=True) if kept),
        points=points[inside],
        point_labels=tuple(label for label, kept in zip(image.point_labels, inside, strict=True) if kept),
        ignored=np.concatenate([ignored[left > 0], boxes[(share > 0) & ~keep]]),
    )


def _clipped(boxes: np.ndarray, x0: int, y0: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes in the window's pixels, clipped to it, and the share of each area that is inside."""
    moved = boxes - np.array([x0, y0, x0, y0], dtype=np.float32)
    inside = np.clip(moved, 0, np.array([width, height, width, height], dtype=np.float32))
    area = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return inside, (inside[:, 2:] - inside[:, :2]).prod(-1) / np.maximum(area, 1e-9)
