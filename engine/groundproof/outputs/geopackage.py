"""A result as one GeoPackage: four typed tables, QGIS styles and provenance, written once.

Knows the GeoPackage standard (OGC 12-128r18) where GDAL leaves gaps: styles and metadata. Refuses to know
what the columns mean. The tables go through GDAL's Arrow interface, the rest through sqlite3.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataSourceError

from groundproof.outputs import jsontext
from groundproof.outputs.arrow import GEOMETRY_TYPES, schema, stream
from groundproof.outputs.files import replacing
from groundproof.outputs.styles import Style, styles
from groundproof.tables import TABLES, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyproj import CRS

GEOMETRY_COLUMN = "geom"
METADATA_URI = "urn:groundproof:result-metadata:1"
"""`md_standard_uri` of the row of `gpkg_metadata` that holds the result's metadata as JSON."""

_UNDEFINED_CARTESIAN = "-1"
_DATASET_OPTIONS = {
    # 1.3 and not 1.4: GDAL before 3.7, which is what QGIS 3.22 ships with, warns about newer files.
    "VERSION": "1.3",
    "CRS_WKT_EXTENSION": "YES",
}


def write_geopackage(tables: Tables, path: Path) -> None:
    """Writes a result to `path`, whole or not at all. An existing file is replaced.

    Where text had to be altered to be stored (see `text.py`), the metadata in the file gain
    `replaced_characters`: {"table.column": rows}.

    Raises:
        OutputError: see `files.replacing`.
    """
    replaced: Counter[str] = Counter()
    with replacing(path) as temporary:
        crs = _crs_text(tables.crs)
        for name in TABLES:
            _write_table(tables, name, temporary, crs, replaced)
        metadata = dict(tables.metadata)
        if replaced:
            metadata["replaced_characters"] = dict(replaced)
        with closing(sqlite3.connect(temporary)) as connection, connection:
            _check_complete(connection, tables, temporary)
            _write_metadata(connection, metadata)
            _write_styles(connection, styles())


def _crs_text(crs: CRS | None) -> str | None:
    """What GDAL makes the best `gpkg_spatial_ref_sys` row of: a code where there is one, else WKT2."""
    if crs is None:
        return None
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.to_wkt("WKT2_2019")


def _write_table(tables: Tables, name: str, path: Path, crs: str | None, replaced: Counter[str]) -> None:
    failures: list[Exception] = []
    rows = _noting(stream(tables, name, lists=False, replaced=replaced), failures)
    layer_options = {"GEOMETRY_NAME": GEOMETRY_COLUMN, "SPATIAL_INDEX": "YES"}
    first = not path.exists()
    if crs is None:
        layer_options["SRID"] = _UNDEFINED_CARTESIAN
    with warnings.catch_warnings(), _told(failures):
        warnings.filterwarnings("ignore", message="'crs' was not provided")  # pixel space means just that
        pyogrio.raw.write_arrow(
            pa.RecordBatchReader.from_batches(schema(name, lists=False), rows),
            path,
            layer=name,
            driver="GPKG",
            geometry_name="geometry",
            geometry_type=GEOMETRY_TYPES[name],
            crs=crs,
            append=not first,
            dataset_options=_DATASET_OPTIONS if first else {},
            layer_options=layer_options,
        )


def _noting(rows: Iterator[pa.RecordBatch], failures: list[Exception]) -> Iterator[pa.RecordBatch]:
    """The rows; what goes wrong while they are made is kept, because GDAL only hears that it did."""
    try:
        yield from rows
    except Exception as err:
        failures.append(err)
        raise


@contextmanager
def _told(failures: list[Exception]) -> Iterator[None]:
    """Raises the reason `_noting` kept instead of the writer's."""
    try:
        yield
    except RuntimeError as err:
        if failures:
            raise failures[0] from err
        raise


def _check_complete(connection: sqlite3.Connection, tables: Tables, path: Path) -> None:
    """GDAL tells failures while closing a file only on its log: count what arrived."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    if path.stat().st_size != pages * page_size:
        raise DataSourceError(f"{path.stat().st_size} bytes arrived of {pages * page_size}")
    counts = dict(connection.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents"))
    for name in TABLES:
        if counts.get(name) != tables.count(name):
            raise DataSourceError(f"{counts.get(name)} rows of {name} arrived of {tables.count(name)}")


_METADATA_TABLES = """
CREATE TABLE gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL,
  md_scope TEXT NOT NULL DEFAULT 'dataset',
  md_standard_uri TEXT NOT NULL,
  mime_type TEXT NOT NULL DEFAULT 'text/xml',
  metadata TEXT NOT NULL DEFAULT ''
);
CREATE TABLE gpkg_metadata_reference (
  reference_scope TEXT NOT NULL,
  table_name TEXT,
  column_name TEXT,
  row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  md_file_id INTEGER NOT NULL,
  md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id)
);
"""
_METADATA_EXTENSION = "http://www.geopackage.org/spec121/#extension_metadata"


def _write_metadata(connection: sqlite3.Connection, metadata: dict[str, Any]) -> None:
    connection.executescript(_METADATA_TABLES)
    connection.executemany(
        "INSERT INTO gpkg_extensions (table_name, extension_name, definition, scope) VALUES (?, ?, ?, ?)",
        [
            (table, "gpkg_metadata", _METADATA_EXTENSION, "read-write")
            for table in ("gpkg_metadata", "gpkg_metadata_reference")
        ],
    )
    connection.execute(
        "INSERT INTO gpkg_metadata (id, md_scope, md_standard_uri, mime_type, metadata)"
        " VALUES (1, ?, ?, ?, ?)",
        ("dataset", METADATA_URI, "application/json", jsontext.dumps(metadata)),
    )
    connection.execute(
        "INSERT INTO gpkg_metadata_reference (reference_scope, md_file_id) VALUES ('geopackage', 1)"
    )


_STYLES_TABLE = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT(256),
  f_table_schema TEXT(256),
  f_table_name TEXT(256),
  f_geometry_column TEXT(256),
  styleName TEXT(30),
  styleQML TEXT,
  styleSLD TEXT,
  useAsDefault BOOLEAN,
  description TEXT,
  owner TEXT(30),
  ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
);
INSERT INTO gpkg_contents (table_name, data_type, identifier, description)
VALUES ('layer_styles', 'attributes', 'layer_styles', 'How QGIS draws the tables');
"""
"""As QGIS itself makes it (QgsOgrProviderMetadata::saveStyle), so that it finds and can change the styles."""


def _write_styles(connection: sqlite3.Connection, rows: list[Style]) -> None:
    connection.executescript(_STYLES_TABLE)
    # QGIS looks a default style up by empty catalog and schema, not by NULL.
    connection.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
        " styleName, styleQML, styleSLD, useAsDefault, description, owner)"
        " VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '')",
        [(s.table, GEOMETRY_COLUMN, f"groundproof {s.table}", s.qml, s.description) for s in rows],
    )
    connection.execute(
        "INSERT INTO gpkg_ogr_contents (table_name, feature_count) VALUES ('layer_styles', ?)", (len(rows),)
    )
