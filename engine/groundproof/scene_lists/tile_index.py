"""Raster tile indexes: vector files whose features name rasters, as gdaltindex and GDAL's GTI driver have them.

Knows where the names stand. Refuses to know footprints: each raster says itself where it lies.
Source: gdal.org/programs/gdaltindex.html, gdal.org/drivers/raster/gti.html.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from groundproof.errors import UsageError
from groundproof.scene_lists.listing import MAX_SCENES, ListedScene, check_count, flaw_of, placed
from groundproof.wording import joined

LOCATION = "location"
"""gdaltindex's and the GTI driver's default; the GTI driver's LOCATION_FIELD names another."""
PARQUET_SUFFIXES = (".parquet", ".geoparquet")


def is_raster_geopackage(path: Path) -> bool:
    """Whether a GeoPackage holds rasters and no features."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            kinds = {row[0] for row in database.execute("SELECT data_type FROM gpkg_contents")}
    except sqlite3.Error:
        return False  # GDAL says what is wrong with it
    return bool(kinds & {"tiles", "2d-gridded-coverage"}) and not kinds & {"features", "attributes"}


def from_index(path: Path, layer: str | None, source: str) -> list[ListedScene]:
    """The rasters of a tile index, sorted.

    A relative path lies below the index's folder or, when nothing is there, where the program runs: as the
    GTI driver has it, for gdaltindex writes down what was typed. layer: None for the one that the
    metadata TILE_INDEX_LAYER names, else the only one that has the field.

    Raises:
        UsageError: unreadable, or no tile index.
    """
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return located(_parquet(path, source), path.parent, source)
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
        if layer is not None and layer not in names:
            raise UsageError(f'{source}: there is no layer "{layer}". It has: {joined(names)}.')
        infos = {name: pyogrio.read_info(path, layer=name) for name in ([layer] if layer else names)}
        named = next((_metadata(info).get("TILE_INDEX_LAYER") for info in infos.values()), None)
        if named in infos:
            infos = {named: infos[named]}
        indexes = {
            name: field for name, info in infos.items() if (field := _field_of(info, source)) is not None
        }
        if len(indexes) != 1:
            raise UsageError(_no_index(source, infos, list(indexes)))
        ((name, field),) = indexes.items()
        frame = pyogrio.read_dataframe(
            path,
            layer=name,
            columns=[field],
            read_geometry=False,
            where=_metadata(infos[name]).get("FILTER"),
            max_features=MAX_SCENES + 1,
        )
    except (DataSourceError, DataLayerError, ValueError, OSError) as err:
        raise UsageError(
            f"{source} cannot be read as a vector file: {str(err).rstrip('.')}. Give a raster tile index "
            "(gdaltindex), or a raster."
        ) from err
    return located(frame[field], path.parent, source)


def location_field(names: Iterable[str]) -> str | None:
    """The field of these that holds rasters' names; GDAL's field names know no upper and lower case."""
    return next((name for name in names if name.lower() == LOCATION), None)


def located(values: Iterable[Any], folder: Path, source: str) -> list[ListedScene]:
    """Scenes from the values of the field, sorted; one without a value is a scene with a reason.

    Raises:
        UsageError: no values.
    """
    scenes = []
    for number, value in enumerate(values, start=1):
        name = value if isinstance(value, str) else ""
        if flaw := flaw_of(name):
            reason = f"The location of feature {number} of {source} {flaw}. Correct the tile index."
            scenes.append(ListedScene(f"{source}#{number}", source, reason=reason))
        else:
            below = placed(name, folder)
            typed = not os.path.exists(below) and os.path.exists(name)  # noqa: PTH110 - no errors
            scenes.append(ListedScene(name if typed else below, source))
    check_count(scenes, source)
    if not scenes:
        raise UsageError(f"The tile index {source} has no features. Fill it with gdaltindex.")
    return sorted(scenes, key=lambda scene: scene.path)


def _parquet(path: Path, source: str) -> list[Any]:
    try:
        with pq.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            field = location_field(names)
            if field is not None:
                check_count(range(file.metadata.num_rows), source)
                values: list[Any] = file.read(columns=[field]).column(0).to_pylist()
                return values
    except (pa.ArrowException, OSError, ValueError) as err:
        raise UsageError(f"{source} cannot be read as Parquet: {str(err)[:200]}. Write it again.") from err
    if "assets" in names:
        raise UsageError(
            f"{source} is a STAC GeoParquet file, which is not read here. Write its items as an ItemCollection (.json)."
        )
    raise UsageError(_no_index(source, {"": {"fields": names}}, []))


def _metadata(info: dict[str, Any]) -> dict[str, Any]:
    return {**(info.get("dataset_metadata") or {}), **(info.get("layer_metadata") or {})}


def _field_of(info: dict[str, Any], source: str) -> str | None:
    fields = [str(name) for name in info["fields"]]
    named = _metadata(info).get("LOCATION_FIELD")
    if named is None:
        return location_field(fields)
    found = next((name for name in fields if name.lower() == str(named).lower()), None)
    if found is None:
        raise UsageError(
            f'{source} says that the field "{named}" holds the rasters (LOCATION_FIELD), but it has {_few(fields)}.'
        )
    return found


def _no_index(source: str, infos: dict[str, Any], indexes: list[str]) -> str:
    if indexes:
        return (
            f"{source} holds {len(indexes)} tile indexes. Name one: '{source}|layername={indexes[0]}' "
            f"(also {joined(indexes[1:])})."
        )
    fields = [str(name) for info in infos.values() for name in info["fields"]]
    return (
        f"{source} lists no scenes: a raster tile index has the field {LOCATION}, this file has {_few(fields)}. Make "
        "one with gdaltindex; if it holds areas, give it with --aoi."
    )


def _few(fields: Sequence[str]) -> str:
    return joined(list(fields[:20])) if fields else "no fields"
