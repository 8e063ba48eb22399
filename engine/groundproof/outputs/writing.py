"""One entry for every format: the suffix decides.

Knows suffixes. Refuses to know formats.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from groundproof.errors import OutputError
from groundproof.outputs.files import refuse_if_in_use
from groundproof.outputs.geojson import write_geojson
from groundproof.outputs.geopackage import write_geopackage
from groundproof.outputs.geoparquet import write_geoparquet

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
"""What `write` can write."""


def write(tables: Tables, path: str | Path) -> list[Path]:
    """Writes a result to `path`, a chunk of rows at a time, in the format its suffix names, whole or not at all.

    .gpkg: all tables, styles and provenance in one file. .parquet: the evidence in `path`, the other tables
    beside it (`harbour.answers.parquet`, ...). .geojson: the evidence in longitude and latitude, answers and
    provenance in the member `groundproof`. Returns the files made, `path` first.

    Raises:
        OutputError: an unknown suffix, a place that cannot be written, a file open elsewhere, a full disk,
            or pixel space as GeoJSON.
    """
    path = Path(path)
    check(path)
    return _WRITERS[path.suffix.lower()](tables, path)


def check(path: str | Path) -> None:
    """Raises OutputError now for whatever can be known to fail before hours of work: see `write`."""
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise OutputError(
            f"{path.name} has no suffix that names a format. Allowed are {', '.join(SUFFIXES)}: "
            f"{path.with_suffix('.gpkg').name if path.name else 'result.gpkg'}, for example."
        )
    refuse_if_in_use(path)
