"""A scene as it is sent: its declaration, and its pixels window by window.

Knows shapes and what they mean. Refuses to know QGIS and HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable

AffineNumbers = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f, from the outer corner of the first pixel."""

DTYPES = ("uint8", "uint16")


@dataclass(frozen=True)
class SceneSpec:
    """What `POST /scenes` is told.

    width, height: columns and rows, px. crs_wkt: WKT2 of the CRS that `affine` leads into; None (with affine None) for
    pixel space. bands: without alpha. dtype: one of DTYPES. datetime: of acquisition, RFC 3339, None when unknown.
    sparse: whether parts may never come; they are no data. Raises ValueError for what no scene can be.
    """

    name: str
    width: int
    height: int
    crs_wkt: str | None
    affine: AffineNumbers | None
    bands: int = 3
    dtype: str = "uint8"
    datetime: str | None = None
    sparse: bool = False

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a scene of {self.width} x {self.height} px has no pixels")
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype {self.dtype!r} is not {' or '.join(DTYPES)}")
        if (self.crs_wkt is None) != (self.affine is None):
            raise ValueError("a scene has both a CRS and an affine, or neither (pixel space)")

    @property
    def pixels(self) -> int:
        """Columns x rows."""
        return self.width * self.height

    def as_json(self) -> dict[str, object]:
        """The body of `POST /scenes`."""
        document = {
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "crs": self.crs_wkt,
            "affine": None if self.affine is None else list(self.affine),
            "bands": self.bands,
            "dtype": self.dtype,
            "datetime": self.datetime,
            "sparse": self.sparse,
        }
        return {name: value for name, value in document.items() if value is not None}


@dataclass(frozen=True)
class PixelWindow:
    """A part of a scene, encoded. x0, y0: of its first pixel in the scene, px. width, height: px.

    media_type: image/png (8 bit, RGBA or RGB), or application/octet-stream for raw pixels: row by row, the bands of a
    pixel side by side, alpha last where there is one, little-endian.
    """

    x0: int
    y0: int
    width: int
    height: int
    body: bytes
    media_type: str

    @property
    def is_raw(self) -> bool:
        """Whether the engine must be told width and height, because the body does not say them."""
        return self.media_type == "application/octet-stream"


class PixelSource:
    """Pixels of one scene. Made on the main thread when the question is asked; read in any one thread.

    What it needs of layers it has copied, so that the project may change meanwhile.
    """

    spec: SceneSpec

    def windows(self, cancelled: Callable[[], bool]) -> Iterator[PixelWindow]:
        """All windows, top to bottom. Ends early when `cancelled()`. Raises imagery.errors.PixelError."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what was copied. Safe to call twice, from the main thread."""
