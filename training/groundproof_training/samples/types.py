"""The one sample: a question about an image, and what is true about it.

Knows no file formats and no models. Boxes are in pixels of the original image and belong to no model's box frame, so
a metric can never mistake one frame for another; `rendering` writes them for a model.

Texts may name boxes by markers: `<region:0>` in a question stands for `regions[0]`, `<box:0>` in an answer for
`boxes[0]`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from groundproof.protocol import Task

Split = Literal["train", "val", "test"]
Pixel = Annotated[float, Field(allow_inf_nan=False)]
Quad = tuple[Pixel, Pixel, Pixel, Pixel, Pixel, Pixel, Pixel, Pixel]

MARKER = re.compile(r"<(region|box):(\d+)>")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SampleImage(_Frozen):
    """One picture of a sample.

    path: as POSIX text, relative to the folder the reader was given (its `root`). sha256: of the file's bytes, hex;
    None where the file was not looked at. width, height: of the whole file, px, after EXIF rotation. window: the part
    that is shown, x0 y0 x1 y1 in px of the file (it may reach past the right and lower edge, which is padded); None:
    all of it. date: ISO 8601, where known.
    """

    path: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    sha256: str | None = None
    window: tuple[int, int, int, int] | None = None
    date: str | None = None

    @property
    def shown(self) -> tuple[int, int, int, int]:
        """The part that is shown, x0 y0 x1 y1 in px of the file."""
        return self.window or (0, 0, self.width, self.height)

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the part that is shown, px."""
        x0, y0, x1, y1 = self.shown
        return x1 - x0, y1 - y0

    @model_validator(mode="after")
    def _window_has_a_size(self) -> Self:
        width, height = self.shown_size
        if width < 1 or height < 1:
            raise ValueError(f"the window {self.window} of {self.path} is empty")
        return self


class TrueBox(_Frozen):
    """One object of the truth, px of the original image (not of its window), (0, 0) the outer corner of the first
    pixel.

    label: the source's class in plain words (`labels.class_name`). quad: the oriented box, four corners x y, where
    the source has one; x0 .. y1 then enclose it. image: which of the sample's images. ignore: the source calls it
    difficult; it is neither counted nor asked for, and finding it is no mistake. truncated: cut by the image's or
    window's edge. phrase: the words of the source for this object. attributes: further facts of the source (damage,
    size group).
    """

    label: str
    x0: Pixel
    y0: Pixel
    x1: Pixel
    y1: Pixel
    quad: Quad | None = None
    image: int = Field(0, ge=0)
    ignore: bool = False
    truncated: bool = False
    phrase: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """x0 y0 x1 y1, px of the original image."""
        return self.x0, self.y0, self.x1, self.y1

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.x0 >= self.x1 or self.y0 >= self.y1:
            raise ValueError(f"a box needs x0 < x1 and y0 < y1, got {self.xyxy} ({self.label})")
        return self


class EvidenceLine(_Frozen):
    """One evidence sentence without its number and box: "airplane, upper left". box: index into the sample's boxes."""

    text: str
    box: int = Field(ge=0)


class Rationale(_Frozen):
    """Plan, evidence and synthesis, with boxes by index, so that they can be written in any model's frame.

    E1 is the first line of evidence. by: "template", or "teacher:" and the teacher's name. absent: where there is no
    evidence, what is not there ("ship in the upper left"); empty: the classes that were asked for.
    """

    plan: str
    evidence: tuple[EvidenceLine, ...]
    synthesis: str
    by: str
    absent: str = ""


class Sample(_Frozen):
    """One question about one image, or about several dates or views of one place.

    sample_id: unique within its source and the same every time it is read. source: the reader's name. asked:
    class names of the objects the question is about (count, detect, ground, existence); empty where it names
    none. choices: the closed list a classification chooses from. answer: the truth as text; empty for detect and
    ground, whose truth is `boxes`. answers: the true classes of a classification (one, or several), or further wordings
    that are right. boxes: with `complete`, every object of `asked` (those to ignore too). captions: all references.
    meta: facts the source gives about the question (type, size group), kept for breakdowns.
    """

    sample_id: str = Field(min_length=1)
    source: str
    split: Split
    licence: str
    task: Task
    images: tuple[SampleImage, ...] = Field(min_length=1)
    question: str = Field(min_length=1)
    answer: str = ""
    answers: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    boxes: tuple[TrueBox, ...] = ()
    regions: tuple[TrueBox, ...] = ()
    captions: tuple[str, ...] = ()
    complete: bool = True
    meta: dict[str, str] = Field(default_factory=dict)
    rationale: Rationale | None = None

    @property
    def counted(self) -> tuple[TrueBox, ...]:
        """The boxes that are asked for: without those to ignore."""
        return tuple(box for box in self.boxes if not box.ignore)

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Self:
        for box in (*self.boxes, *self.regions):
            if box.image >= len(self.images):
                raise ValueError(f"{self.sample_id}: a box lies on image {box.image} of {len(self.images)}")
        for text, kind, things in (
            (self.question, "region", self.regions),
            (self.answer, "box", self.boxes),
        ):
            _check_markers(self.sample_id, text, kind, things)
        if self.rationale and any(line.box >= len(self.boxes) for line in self.rationale.evidence):
            raise ValueError(f"{self.sample_id}: its rationale points at a box that is not there")
        return self


def _check_markers(sample_id: str, text: str, kind: str, things: Sequence[TrueBox]) -> None:
    for found, number in MARKER.findall(text):
        if found != kind or int(number) >= len(things):
            raise ValueError(
                f"{sample_id}: the text names <{found}:{number}>, there are {len(things)} {kind} boxes"
            )
