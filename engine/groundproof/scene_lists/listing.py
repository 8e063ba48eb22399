"""What a source of scenes gives: names of rasters with what the source says about each.

Knows how a name in a list becomes a path that GDAL opens. Refuses to know formats of lists.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path

from groundproof.errors import TooLargeError

MAX_SCENES = 1_000_000
"""Of one batch; a listed scene takes about half a kilobyte."""
MAX_NAME = 8192
"""Characters of a path or URL; signed URLs reach 2,000."""

_GDAL_NOTATION = re.compile(r"[A-Z][A-Z0-9_]+:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ListedScene:
    """One scene as a source names it; whether it exists is seen when it is opened.

    path: as rasterio opens it; where `reason` is set, the name to show for it. source: the one of the
    given sources that named it, as given. aoi: as `aoi.resolve_aois` takes it; None: the batch's own.
    datetime: RFC 3339, UTC; None: unknown to the source. reason: a sentence why the source's entry leads
    to no raster, which makes it a failed scene; None: it leads to one.
    """

    path: str
    source: str
    aoi: str | None = None
    datetime: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Everything one source names. notes: sentences for people."""

    scenes: list[ListedScene]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SceneList:
    """The scenes of a batch in order. found: how many the sources name, before limit and sample.
    notes: sentences for people.
    """

    scenes: tuple[ListedScene, ...]
    found: int
    notes: tuple[str, ...] = ()


def placed(name: str, folder: Path) -> str:
    """A name of a list as a path: below the list's folder unless it is absolute, a URL, or GDAL's own
    notation ("/vsizip/...", "NETCDF:a.nc:band"). The file system is asked only where a file may be
    called like the latter.
    """
    if "://" in name or name.startswith("/vsi"):
        return name
    if name.startswith("~"):
        name = str(Path(name).expanduser())
    joined = str(folder / name)
    return name if _GDAL_NOTATION.match(name) and not os.path.exists(joined) else joined  # noqa: PTH110 - no errors


def is_gdal_notation(name: str) -> bool:
    """Whether a name is written as one of GDAL's drivers wants it, and is no file's name."""
    return name.startswith("/vsi") or (_GDAL_NOTATION.match(name) is not None and not os.path.exists(name))  # noqa: PTH110


def flaw_of(name: str) -> str | None:
    """Why a text cannot be the name of a file or URL, as the end of a sentence; None when it can."""
    if not name.strip():
        return "is empty"
    if len(name) > MAX_NAME:
        return f"has {len(name):,} characters, more than {MAX_NAME:,}"
    return "has control characters in it" if _CONTROL.search(name) else None


def check_count(scenes: Sized, source: str) -> None:
    """Raise TooLargeError when a source names more scenes than one batch takes."""
    if len(scenes) > MAX_SCENES:
        raise TooLargeError(
            f"{source} names more than {MAX_SCENES:,} scenes, which is the most for one batch. Split it."
        )
