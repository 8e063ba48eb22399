"""A GeoPackage of ours back as a `Result`, also after an analyst has edited it in QGIS; or a folder of GeoParquet.

Knows the tables. Refuses files that are something else, saying what is missing.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError

from groundproof.errors import UsageError
from groundproof.outputs.decoding import frame, gather
from groundproof.outputs.geopackage import METADATA_URI
from groundproof.outputs.partitioned_reading import PartitionedTables
from groundproof.tables import TABLES, Result


def read(path: str | Path) -> Result:
    """The result in a GeoPackage or a folder that `write` made, whole in memory. Columns somebody added are left out.

    Missing text, lists and times are None; whole numbers with gaps are pandas `Int64`; times are RFC 3339
    text in UTC; pixel space (undefined Cartesian) has no CRS.

    Raises:
        UsageError: no such file, not a GeoPackage, not a result of groundproof, or JSON somebody broke.
    """
    path = Path(path)
    if path.is_dir():
        return gather(PartitionedTables(path))
    if not path.is_file():
        raise UsageError(f"{path} is not a file. Give a GeoPackage that groundproof wrote.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            crs = _crs(connection, path)
            metadata = _metadata(connection)
        frames = {name: _table(path, name, crs) for name in TABLES}
    except (sqlite3.Error, DataSourceError, DataLayerError) as err:
        raise UsageError(f"{path.name} cannot be read as a groundproof GeoPackage: {err}.") from err
    return Result(**frames, metadata=metadata)


def read_table(path: Path, name: str) -> gpd.GeoDataFrame:
    """One table of such a GeoPackage, as in `read`; for who needs no more. Raises UsageError."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return _table(path, name, _crs(connection, path))
    except (sqlite3.Error, DataSourceError, DataLayerError) as err:
        raise UsageError(f"{path.name} cannot be read as a groundproof GeoPackage: {err}.") from err


def read_metadata(path: Path) -> dict[str, Any]:
    """The provenance in such a GeoPackage alone. Raises UsageError."""
    if not path.is_file():
        raise UsageError(f"{path} is not a file. Give a GeoPackage that groundproof wrote.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            _crs(connection, path)
            return _metadata(connection)
    except sqlite3.Error as err:
        raise UsageError(f"{path.name} cannot be read as a groundproof GeoPackage: {err}.") from err


def _crs(connection: sqlite3.Connection, path: Path) -> CRS | None:
    try:
        tables = {name for (name,) in connection.execute("SELECT table_name FROM gpkg_geometry_columns")}
    except sqlite3.DatabaseError as err:
        raise UsageError(f"{path.name} is not a GeoPackage. Give one that groundproof wrote.") from err
    missing = [name for name in TABLES if name not in tables]
    if missing:
        raise UsageError(
            f"{path.name} is not a result of groundproof: it has no table {', '.join(missing)}. "
            "Give a GeoPackage that groundproof wrote."
        )
    cursor = connection.execute(
        "SELECT s.* FROM gpkg_spatial_ref_sys s JOIN gpkg_geometry_columns g ON g.srs_id = s.srs_id"
        " WHERE g.table_name = 'evidence'"
    )
    row = dict(zip([d[0] for d in cursor.description], cursor.fetchone(), strict=True))
    if row["srs_id"] in (-1, 0):
        return None
    wkt2 = row.get("definition_12_063")
    try:
        if row["organization"].upper() != "NONE":
            return CRS.from_authority(row["organization"], row["organization_coordsys_id"])
    except CRSError:
        pass  # a code this PROJ does not know: the definition beside it says the same in full
    try:
        return CRS.from_wkt(wkt2 if wkt2 and wkt2 != "undefined" else row["definition"])
    except CRSError as err:
        raise UsageError(f"the coordinate system of {path.name} cannot be read: {err}.") from err


def _metadata(connection: sqlite3.Connection) -> dict[str, Any]:
    (exists,) = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = 'gpkg_metadata'"
    ).fetchone()
    row = (
        exists
        and connection.execute(
            "SELECT metadata FROM gpkg_metadata WHERE md_standard_uri = ? ORDER BY id LIMIT 1",
            (METADATA_URI,),
        ).fetchone()
    )
    found = json.loads(row[0]) if row else {}
    return found if isinstance(found, dict) else {}


def _table(path: Path, name: str, crs: CRS | None) -> gpd.GeoDataFrame:
    wanted = [c.name for c in TABLES[name]]
    meta, table = pyogrio.raw.read_arrow(path, layer=name, columns=wanted)
    missing = [c for c in wanted if c not in table.column_names]
    if missing:
        raise UsageError(f"table {name} of {path.name} has lost its column {', '.join(missing)}.")
    wkb = table[meta["geometry_name"] or "wkb_geometry"]
    return frame(name, table.append_column("geometry", wkb), crs, where=path.name)
