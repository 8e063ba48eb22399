"""What every dataset reader offers, and what it says of a folder that is not its dataset.

Knows cards, problems and images on disk. Refuses to know any one dataset's format.
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.samples import Sample, SampleImage, Split

MOST_SIDE_PX = 1 << 31
"""What a label states beyond is no size of an image; TIFF and PNG hold less too."""
EXAMPLES_KEPT = 5
"""Of each kind of problem, how many are named; all are counted."""


class WrongFolderError(TrainingError):
    """The folder is not that dataset as its reader knows it."""

    def __init__(self, root: Path, card: DatasetCard, missing: str) -> None:
        found = ", ".join(sorted(p.name for p in root.iterdir())[:12]) if root.is_dir() else "no such folder"
        expected = "\n".join(f"    {line}" for line in card.layout)
        super().__init__(
            f"{root} is not {card.title} as the reader `{card.name}` knows it: {missing} is not there.\n"
            f"  Expected:\n{expected}\n  Found: {found or 'an empty folder'}.\n"
            f"  The dataset comes from {card.source}."
        )


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """What is known of a dataset. layout: paths below its folder, as a person would check them. splits: those it has.
    counts: published numbers by words ("train boxes": 98990); verified says where the layout's facts come from, and
    what could not be checked."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    licence: str
    source: str
    layout: tuple[str, ...]
    splits: tuple[Split, ...]
    counts: dict[str, int] = field(default_factory=dict)
    verified: str = ""


class Options(BaseModel):
    """What every reader can be told; a reader adds its own. Frozen; unknown keys are refused.

    need_images: leave samples out whose image is missing or broken; without it labels are read alone where they give
    the image's size. decode: read every pixel once to find broken files. seed: of every choice a reader makes.
    max_megapixels: a larger image is taken for a trap, and left out; some scenes of DOTA 2.0 have 800.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    need_images: bool = True
    decode: bool = True
    seed: int = 0
    max_megapixels: float = Field(180.0, gt=0)


@dataclass(slots=True)
class Problems:
    """What was left out, counted by kind, the first few named. A reader goes on after each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, where: str, sentence: str) -> None:
        """kind: "broken image", "no image", "no label", "unknown class", "box outside", "empty box", "duplicate id",
        "broken label", ... where: file and line or id."""
        self.counts[kind] += 1
        if len(self.examples[kind]) < EXAMPLES_KEPT:
            self.examples[kind].append(f"{where}: {sentence}")

    def lines(self) -> list[str]:
        """For people: a kind and its number, then the first few."""
        said = []
        for kind, number in self.counts.most_common():
            said.append(f"{number} x {kind}")
            said += [f"    {example}" for example in self.examples[kind]]
        return said


class Reader(Protocol):
    """One dataset."""

    @property
    def card(self) -> DatasetCard:
        """What is known of it."""
        ...

    @property
    def options(self) -> type[Options]:
        """The class of what it can be told."""
        ...

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Its samples of one split in a fixed order, lazily. Raises WrongFolderError before the first one."""
        ...


def need(root: Path, card: DatasetCard, paths: Iterable[str]) -> None:
    """Raises WrongFolderError unless every path is there below root."""
    for path in paths:
        if not (root / path).exists():
            raise WrongFolderError(root, card, path)


def stated_size(width: object, height: object) -> tuple[int, int] | None:
    """The size that a label states, px; None where it states none that an image can have."""
    try:
        size = int(width), int(height)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return size if min(size) > 0 and max(size) < MOST_SIDE_PX else None


def is_id(value: object) -> bool:
    """Whether a value of a JSON label can be what other rows refer to."""
    return isinstance(value, int | str) and not isinstance(value, bool)


def look_at(
    root: Path, path: str, options: Options, problems: Problems, size: tuple[int, int] | None = None
) -> SampleImage | None:
    """The image at root/path with its size and hash; None, and a problem noted, where it cannot be used.

    size: what the labels say; used where `need_images` is off and the file is missing.
    """
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        problems.add("path outside", path, "it leads out of the dataset's folder")
        return None
    file = root / path
    if not file.is_file():
        if not options.need_images and size is not None:
            return SampleImage(path=path, width=size[0], height=size[1])
        problems.add("no image", path, "the label has no image; it was left out")
        return None
    try:
        content = file.read_bytes()
        with opened_image(file, options.max_megapixels * 1e6) as image:
            turned = image.getexif().get(0x0112, 1) >= 5
            width, height = image.size
            if options.decode:
                image.load()
    except TooLargeError as err:
        problems.add("too large", path, f"{err}; max_megapixels allows more")
        return None
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as err:
        problems.add("broken image", path, str(err).splitlines()[0] if str(err) else type(err).__name__)
        return None
    if turned:
        width, height = height, width
    return SampleImage(path=path, width=width, height=height, sha256=hashlib.sha256(content).hexdigest())


class TooLargeError(OSError):
    """An image has more pixels than it may have."""


class _PixelLimit:
    """Pillow's own limit, which is the whole process's, raised for as long as any thread has a larger image open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._usual: int | None = None
        self._open: list[int] = []

    @contextmanager
    def at_least(self, pixels: float) -> Iterator[None]:
        with self._lock:
            if not self._open:
                self._usual = Image.MAX_IMAGE_PIXELS
            self._open.append(int(pixels))
            self._set()
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(int(pixels))
                self._set()

    def _set(self) -> None:
        Image.MAX_IMAGE_PIXELS = None if self._usual is None else max([self._usual, *self._open])


_LIMIT = _PixelLimit()


@contextmanager
def opened_image(file: Path | BinaryIO, pixels: float) -> Iterator[Image.Image]:
    """An image of at most so many pixels, also where that is more than Pillow opens by itself. Raises TooLargeError."""
    with ExitStack() as stack:
        stack.enter_context(_LIMIT.at_least(pixels))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = stack.enter_context(Image.open(file))
        except Image.DecompressionBombError as err:
            raise TooLargeError(str(err)) from err
        if image.width * image.height > pixels:
            raise TooLargeError(f"it has {image.width} x {image.height} px")
        yield image


def open_shown(root: Path, image: SampleImage) -> Image.Image:
    """The shown part as RGB, upright; black where the window reaches past the edge. Raises OSError, also for a file
    with more pixels than the sample says."""
    with opened_image(root / image.path, image.width * image.height) as file:
        picture = ImageOps.exif_transpose(file).convert("RGB")
    return picture if image.window is None else picture.crop(image.window)
