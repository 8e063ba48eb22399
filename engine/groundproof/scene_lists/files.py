"""Folders and globs of local files.

Knows which files beside a raster are none themselves. Refuses to open anything.
"""

from __future__ import annotations

import glob
import os
from pathlib import Path

from groundproof.errors import UsageError
from groundproof.scene_lists.listing import ListedScene, check_count
from groundproof.wording import amount

RASTER_SUFFIXES = frozenset({
    ".tif", ".tiff", ".gtiff", ".vrt", ".jp2", ".j2k", ".jpf", ".jpg", ".jpeg", ".png", ".webp", ".img", ".ntf",
    ".nitf", ".bmp", ".gif", ".mrf", ".ers", ".bil", ".bip", ".bsq", ".ecw", ".sid", ".pix", ".kea", ".rst", ".sdat",
    ".avif", ".heif", ".heic", ".jxl",
})  # fmt: skip
"""What of a folder is taken. A fixed list, for a batch must not depend on how GDAL was built."""
SIDECAR_SUFFIXES = (
    ".aux.xml", ".aux", ".ovr", ".msk", ".rrd", ".tif.xml", ".tiff.xml", ".hdr", ".prj", ".wld", ".tfw", ".tifw",
    ".tfwx", ".tiffw", ".jgw", ".jpgw", ".jpegw", ".pgw", ".pngw", ".j2w", ".jp2w", ".wpw", ".gfw", ".bpw", ".blw",
)  # fmt: skip
_WILD = "*?["


def in_folder(folder: Path, source: str) -> list[ListedScene]:
    """The rasters of a folder by their suffix, sorted; folders inside it are not looked into.

    Raises:
        UsageError: none there, or the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file())
    except OSError as err:
        raise UsageError(f"The folder {source} cannot be read: {err.strerror}. Give another one.") from err
    found = [name for name in names if Path(name).suffix.lower() in RASTER_SUFFIXES]
    check_count(found, source)
    if not found:
        held = amount(len(names), "file") if names else "nothing"
        raise UsageError(
            f"The folder {source} holds {held} and no raster (.tif, .jp2, .vrt, .jpg, ...). Give rasters, a glob such "
            f"as '{Path(source) / '**' / '*.tif'}' for folders inside it, or a list."
        )
    return [ListedScene(str(folder / name), source) for name in found]


def is_glob(text: str) -> bool:
    """Whether a text has wildcards and is not the name of something that is there."""
    return any(char in text for char in _WILD) and not os.path.lexists(text)


def matches(pattern: str) -> list[str]:
    """Files a glob finds, sorted, "**" for any folders, sidecars of rasters left out. A pattern that ends
    in no suffix ("scenes/*") finds rasters only.

    Raises:
        UsageError: nothing found.
    """
    last = Path(pattern).name.lower()
    named = "." in last
    found = []
    for path in glob.iglob(pattern, recursive=True):  # noqa: PTH207 - keeps the text as given
        name = path.lower()
        sidecar = any(name.endswith(s) and not last.endswith(s) for s in SIDECAR_SUFFIXES)
        if not sidecar and (named or Path(name).suffix in RASTER_SUFFIXES) and Path(path).is_file():
            found.append(path)
            check_count(found, pattern)
    if not found:
        raise UsageError(
            f"No {'file' if named else 'raster'} matches '{pattern}'. Give a pattern that finds some, such as "
            "'scenes/*.tif', or 'scenes/**/*.tif' for folders inside."
        )
    return sorted(set(found))  # "**" finds what lies behind a link twice
