"""What a scene sent to the service is: its declaration, and what is known of it while it is kept.

Knows fields and what fits together. Refuses to know files and pixels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import numpy as np
from affine import Affine
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from groundproof.boxes import Window
from groundproof.errors import UsageError
from groundproof.placement import parse_crs
from groundproof.scene import parse_datetime
from groundproof.service.uploads.decoding import MAX_BANDS

T = TypeVar("T")

NAME_CHARACTERS = 80
Number = Annotated[float, Field(allow_inf_nan=False)]
AffineNumbers = tuple[Number, Number, Number, Number, Number, Number]


def file_name(text: str) -> str:
    """A name that can be a file's everywhere: letters, digits, space, "_", "-", "."; others become "_"."""
    name = re.sub(r"[^\w \-.]", "_", text).strip(" .")
    return name.encode()[:NAME_CHARACTERS].decode(errors="ignore").strip(" .") or "scene"


def check_crs(text: str) -> str:
    """The text, if PROJ knows it. Raises UsageError."""
    parse_crs(text, "crs")
    return text


def check_affine(numbers: AffineNumbers) -> AffineNumbers:
    """The numbers, if pixels have a size. Raises UsageError."""
    if not np.isfinite(numbers).all() or Affine(*numbers).determinant == 0:
        raise UsageError(
            f"The affine {list(numbers)} gives pixels no size. Give [a, b, c, d, e, f] with x = a*col + b*row + c, "
            "y = d*col + e*row + f, col and row counted from the outer corner of the first pixel."
        )
    return numbers


def check_datetime(text: str) -> str:
    """RFC 3339 in UTC of a date and time. Raises UsageError."""
    parsed = parse_datetime(text)
    if parsed is None:
        raise UsageError(f'The datetime "{text[:64]}" cannot be read. Give it as 2026-11-20T10:15:00Z.')
    return parsed


def for_pydantic(check: Callable[[T], T]) -> Callable[[T], T]:
    """The same check, failing with the ValueError that pydantic collects."""

    def checked(value: T) -> T:
        try:
            return check(value)
        except UsageError as err:
            raise ValueError(str(err)) from err

    return checked


class SceneSpec(BaseModel):
    """A scene that will be sent in pieces."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "harbour",
                    "width": 4000,
                    "height": 3000,
                    "crs": "EPSG:32631",
                    "affine": [0.3, 0.0, 595000.0, 0.0, -0.3, 5745000.0],
                    "datetime": "2026-11-20T10:15:00Z",
                }
            ]
        },
    )

    name: Annotated[str, AfterValidator(file_name)] = Field(
        default="scene", min_length=1, max_length=NAME_CHARACTERS, description="What answers call it."
    )
    width: int = Field(gt=0, le=1_000_000, description="Columns, px.")
    height: int = Field(gt=0, le=1_000_000, description="Rows, px.")
    crs: Annotated[str, AfterValidator(for_pydantic(check_crs))] | None = Field(
        default=None,
        max_length=20_000,
        description="EPSG:code or WKT (WKT2 is kept as it is). Without one the scene can only be asked about with "
        "`pixel_space`.",
    )
    affine: Annotated[AffineNumbers, AfterValidator(for_pydantic(check_affine))] | None = Field(
        default=None,
        description="[a, b, c, d, e, f]: x = a*col + b*row + c, y = d*col + e*row + f, from the outer corner of the "
        "first pixel. Without one it is taken from the first window that brings one.",
    )
    datetime: Annotated[str, AfterValidator(for_pydantic(check_datetime))] | None = Field(
        default=None, max_length=64, description="When it was taken: RFC 3339."
    )
    bands: int = Field(
        default=3,
        ge=1,
        le=MAX_BANDS,
        description="Without alpha. Every window has as many, and may have an alpha band: 0 where there is no data.",
    )
    dtype: Literal["uint8", "uint16"] = "uint8"
    sparse: bool = Field(
        default=False,
        description="Whether parts may never come; they are no data. Otherwise the scene can be asked about when every "
        "pixel has come.",
    )


@dataclass(frozen=True, slots=True)
class Missing:
    """What of a scene has not come yet. pixels: how many. first: the topmost, then leftmost window of them."""

    pixels: int
    first: Window | None


@dataclass(frozen=True, slots=True)
class StoredScene:
    """A scene the service keeps.

    crs: as declared, or WKT2. affine: None where the scene has none; gcps: how many control points place it instead.
    finished: whether its file is made and changes no more. missing: pixels that have not come; of a finished scene,
    that never will. windows: how many have come. expires: if it is not used before. Times are RFC 3339.
    """

    scene_id: str
    name: str
    width: int
    height: int
    bands: int
    dtype: str
    crs: str | None
    affine: AffineNumbers | None
    gcps: int
    datetime: str | None
    sparse: bool
    finished: bool
    missing: Missing
    windows: int
    bytes: int
    created: str
    expires: str

    @property
    def has_place(self) -> bool:
        """Whether it lies on the map; else ask about it with `pixel_space`."""
        return self.crs is not None and (self.affine is not None or self.gcps > 0)


class MissingWindow(BaseModel):
    """A window nothing has come for."""

    x0: int
    y0: int
    width: int
    height: int


class SceneStatus(BaseModel):
    """A scene as the service answers it."""

    id: str
    name: str
    width: int
    height: int
    bands: int = Field(description="Without alpha.")
    dtype: str
    crs: str | None
    affine: AffineNumbers | None
    control_points: int = Field(description="How many place it, where it has no affine.")
    has_place: bool = Field(
        description="Whether it lies on the map; else it is asked about with `pixel_space`."
    )
    datetime: str | None
    sparse: bool
    finished: bool = Field(description="Whether it changes no more.")
    windows: int = Field(description="How many have come.")
    missing_pixels: int = Field(description="That have not come; of a finished scene, that never will.")
    first_missing: MissingWindow | None = Field(description="The topmost, then leftmost part of them.")
    bytes: int = Field(description="On the service's disk.")
    created: str
    expires: str = Field(description="If it is not used before.")

    @classmethod
    def of(cls, scene: StoredScene) -> SceneStatus:
        """The same, in the API's words."""
        first = scene.missing.first
        return cls(
            id=scene.scene_id,
            name=scene.name,
            width=scene.width,
            height=scene.height,
            bands=scene.bands,
            dtype=scene.dtype,
            crs=scene.crs,
            affine=scene.affine,
            control_points=scene.gcps,
            has_place=scene.has_place,
            datetime=scene.datetime,
            sparse=scene.sparse,
            finished=scene.finished,
            windows=scene.windows,
            missing_pixels=scene.missing.pixels,
            first_missing=first
            and MissingWindow(x0=first.x0, y0=first.y0, width=first.width, height=first.height),
            bytes=scene.bytes,
            created=scene.created,
            expires=scene.expires,
        )
