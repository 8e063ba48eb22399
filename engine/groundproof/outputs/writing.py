"""One entry for every format: the suffix decides, and a name without one is a folder.

Knows suffixes. Refuses to know formats.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from groundproof.errors import OutputError
from groundproof.outputs.files import refuse_if_in_use
from groundproof.outputs.geojson import write_geojson
from groundproof.outputs.geopackage import write_geopackage
from groundproof.outputs.geoparquet import write_geoparquet
from groundproof.outputs.partitioned import refuse_other_folder, write_partitioned

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundproof.tables import Tables


def _geopackage(tables: Tables, path: Path) -> list[Path]:
    write_geopackage(tables, path)
    return [path]


def _geojson(tables: Tables, path: Path) -> list[Path]:
    write_geojson(tables, path)
    return [path]


_WRITERS: dict[str, Callable[[Tables, Path], list[Path]]] = {
    ".gpkg": _geopackage,
    ".parquet": write_geoparquet,
    ".geojson": _geojson,
}
SUFFIXES = tuple(_WRITERS)
"""Of the files that `write` can write. A name without a suffix is a folder."""


def write(tables: Tables, path: str | Path) -> list[Path]:
    """Writes a result to `path`, a chunk of rows at a time, in the format its suffix names, whole or not at all.

    .gpkg: all tables, styles and provenance in one file. .parquet: the evidence in `path`, the other tables
    beside it (`harbour.answers.parquet`, ...). .geojson: the evidence in longitude and latitude, answers and
    provenance in the member `groundproof`. A name without a suffix, text with a slash at its end, or a folder that is
    there: a folder of GeoParquet files, `partitioned.write_partitioned`. Returns what was made, `path` first.

    Raises:
        OutputError: an unknown suffix, a place that cannot be written, a file open elsewhere, a full disk,
            or pixel space as GeoJSON.
    """
    check(path)
    if _is_folder(path):
        return write_partitioned(tables, Path(path))
    path = Path(path)
    return _WRITERS[path.suffix.lower()](tables, path)


def check(path: str | Path) -> None:
    """Raises OutputError now for whatever can be known to fail before hours of work: see `write`."""
    if not Path(path).name:
        raise OutputError(f"{str(path)!r} is no name for a result. Give one, such as result.gpkg.")
    if _is_folder(path):
        refuse_other_folder(Path(os.path.realpath(path)))
        return
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise OutputError(
            f"{path.name} has a suffix that names no format. Allowed are {', '.join(SUFFIXES)}, such as "
            f"{path.with_suffix('.gpkg').name}, or a name without a suffix for a folder of GeoParquet files."
        )
    refuse_if_in_use(path)


def _is_folder(path: str | Path) -> bool:
    if str(path).endswith(("/", os.sep)):
        return True
    path = Path(path)
    return not path.suffix or (path.suffix.lower() not in _WRITERS and path.is_dir())
