"""Samples whose pictures are files of their own: the shown part of each image, with boxes in its own pixels.

A patch of a large image is cut out once, so that training does not decode the whole image for every patch. Knows
windows and shifting. Refuses to resize.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from PIL import Image

from groundproof_training.samples.types import Sample, SampleImage, TrueBox

Window = tuple[int, int, int, int]

LARGE_KEPT = 1
"""Whole images in memory: the windows of one come one after another."""


@dataclass(slots=True)
class Cropper:
    """Writes pictures below `folder`, which is the root of the samples it makes. root: of the samples it is given."""

    root: Path
    folder: Path
    _made: dict[tuple[str, Window | None], SampleImage] = field(default_factory=dict)
    _large: OrderedDict[str, Image.Image] = field(default_factory=OrderedDict)

    def cropped(self, sample: Sample) -> Sample:
        """The sample with its pictures in `folder`: windows as PNG files of their own, whole images copied as they
        are. Raises OSError where one cannot be read or written, ValueError where a box lies outside its window."""
        images = tuple(self._image(image) for image in sample.images)
        return sample.model_copy(
            update={
                "images": images,
                "boxes": tuple(_moved(box, sample.images[box.image]) for box in sample.boxes),
                "regions": tuple(_moved(box, sample.images[box.image]) for box in sample.regions),
            }
        )

    def _image(self, image: SampleImage) -> SampleImage:
        key = (image.path, image.window)
        if key not in self._made:
            self._made[key] = self._copied(image) if image.window is None else self._cut(image, image.window)
        return self._made[key]

    def _copied(self, image: SampleImage) -> SampleImage:
        target = self.folder / image.path
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.part")
            shutil.copyfile(self.root / image.path, part)
            part.replace(target)
        return image

    def _cut(self, image: SampleImage, window: Window) -> SampleImage:
        x0, y0, x1, y1 = window
        name = f"{PurePosixPath(image.path).with_suffix('').as_posix()}__{x0}_{y0}_{x1}_{y1}.png"
        target = self.folder / name
        if not target.is_file():
            buffer = io.BytesIO()
            self._whole(image).crop(window).save(buffer, "PNG", compress_level=3)
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.part")
            part.write_bytes(buffer.getvalue())
            part.replace(target)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        return SampleImage(path=name, width=x1 - x0, height=y1 - y0, sha256=digest, date=image.date)

    def _whole(self, image: SampleImage) -> Image.Image:
        from groundproof_training.readers.base import open_shown

        if image.path not in self._large:
            while len(self._large) >= LARGE_KEPT:
                self._large.popitem(last=False)
            self._large[image.path] = open_shown(self.root, image.model_copy(update={"window": None}))
        return self._large[image.path]


def _moved(box: TrueBox, image: SampleImage) -> TrueBox:
    """The box in px of the window alone, clipped to it."""
    x0, y0, *_ = image.shown
    if (x0, y0) == (0, 0) and image.window is None:
        return box
    width, height = image.shown_size
    quad = None if box.quad is None else tuple(v - (x0, y0)[k % 2] for k, v in enumerate(box.quad))
    return TrueBox.model_validate(
        box.model_dump()
        | {
            "x0": max(box.x0 - x0, 0.0),
            "y0": max(box.y0 - y0, 0.0),
            "x1": min(box.x1 - x0, float(width)),
            "y1": min(box.y1 - y0, float(height)),
            "quad": quad,
        }
    )
