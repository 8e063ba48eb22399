"""A saved result read as rows: what its GeoPackage holds, as it was last saved.

Knows the four tables and GDAL. Refuses to know QGIS's layers, so that a worker thread may read while QGIS shows the
same file. Numbers keep all their digits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osgeo import gdal, ogr

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.evidence import plain
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError

TABLES = ("evidence", "answers", "tiles", "scenes")

JSON_COLUMNS = frozenset(
    {"tile_ids", "parents", "box_px", "value", "coverage", "audit", "context", "window_px", "affine", "gcps"}
)
"""Columns whose text is JSON."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Tables:
    """A result. crs: EPSG:code or WKT2; None in pixel space. rows: by column name, JSON columns parsed, times RFC 3339.

    Of every row `geometry` is GeoJSON in `crs` (or None), `fid` its feature id in the file.
    """

    crs: str | None
    evidence: tuple[Row, ...] = field(default=(), hash=False)
    answers: tuple[Row, ...] = field(default=(), hash=False)
    tiles: tuple[Row, ...] = field(default=(), hash=False)
    scenes: tuple[Row, ...] = field(default=(), hash=False)
    metadata: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def run_id(self) -> str:
        """The run that made it; "" where the file does not say."""
        return str(self.metadata.get("run_id") or next((row["run_id"] for row in self.answers), "") or "")

    @property
    def labels_asked(self) -> dict[str, tuple[str, ...]]:
        """What each question asked for, as the run's configuration holds it."""
        questions = (self.metadata.get("configuration") or {}).get("questions") or ()
        return {str(one.get("text")): tuple(one.get("labels") or ()) for one in questions}

    def answer(self) -> Answer:
        """The same as the dock shows it."""
        return Answer.from_tables(self.evidence, self.answers, self.tiles, self.crs, self.metadata)


def read_tables(path: Path, names: Iterable[str] = TABLES, *, geometry: bool = True) -> Tables:
    """The saved state of a result's GeoPackage. Raises LayerError for what is no result of groundproof.

    geometry: False leaves shapes out, for who needs only words.
    """
    dataset = _open(path)
    rows = {name: tuple(_rows(_layer(dataset, name, path), geometry)) for name in names}
    return Tables(_crs(_layer(dataset, "evidence", path)), **rows, metadata=_metadata(dataset))


def _open(path: Path) -> gdal.Dataset:
    if not path.is_file():
        raise LayerError(tr("The file {path} is not there.").format(path=path))
    with _quiet():
        try:
            dataset = gdal.OpenEx(str(path), gdal.OF_VECTOR | gdal.OF_READONLY, ["GPKG"])
        except RuntimeError:  # where somebody switched GDAL's exceptions on
            dataset = None
    if dataset is None:
        raise LayerError(
            tr("{path} is not a GeoPackage that can be read. Choose a result of groundproof.").format(
                path=path
            )
        )
    return dataset


@contextmanager
def _quiet() -> Iterator[None]:
    """GDAL's messages are not printed: what matters of them is said by exceptions."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        gdal.PopErrorHandler()


def _layer(dataset: gdal.Dataset, name: str, path: Path) -> ogr.Layer:
    with _quiet():
        layer = dataset.GetLayerByName(name)
    if layer is None:
        raise LayerError(
            tr("{path} is not a result of groundproof: it has no table {name}.").format(path=path, name=name)
        )
    return layer


def _crs(layer: ogr.Layer) -> str | None:
    reference = layer.GetSpatialRef()
    if reference is None or reference.GetName() == "Undefined Cartesian SRS" or reference.IsLocal():
        return None
    if reference.GetAuthorityName(None) == "EPSG" and reference.GetAuthorityCode(None):
        return f"EPSG:{reference.GetAuthorityCode(None)}"
    return str(reference.ExportToWkt(["FORMAT=WKT2_2019"]))


def _metadata(dataset: gdal.Dataset) -> dict[str, Any]:
    for text in dataset.GetMetadata().values():
        found = plain(text)
        if isinstance(found, dict) and "configuration" in found:
            return found
    return {}


def _rows(layer: ogr.Layer, geometry: bool) -> list[Row]:
    definition = layer.GetLayerDefn()
    fields = [definition.GetFieldDefn(i) for i in range(definition.GetFieldCount())]
    columns = [(i, one.GetName(), _READERS.get(one.GetType(), _text)) for i, one in enumerate(fields)]
    rows: list[Row] = []
    for feature in layer:
        row: Row = {"fid": feature.GetFID()}
        for i, name, read in columns:
            row[name] = read(feature, i) if feature.IsFieldSetAndNotNull(i) else None
        if geometry:
            row["geometry"] = _geojson(feature.GetGeometryRef())
        rows.append(row)
    for _, name, _ in columns:
        if name in JSON_COLUMNS:
            _decode(rows, name)
    return rows


def _decode(rows: list[Row], name: str) -> None:
    """Parse a JSON column; all cells in one go, which is far faster than each, unless one of them is no JSON."""
    cells = [row for row in rows if row[name] is not None]
    try:
        values = json.loads(f"[{','.join(row[name] for row in cells)}]")
    except ValueError:
        values = []
    if len(values) != len(cells):
        values = [plain(row[name]) for row in cells]
    for row, value in zip(cells, values):
        row[name] = value


def _text(feature: ogr.Feature, i: int) -> str:
    return str(feature.GetFieldAsString(i))


_READERS: dict[int, Callable[[ogr.Feature, int], Any]] = {
    ogr.OFTDateTime: lambda feature, i: _rfc3339(feature.GetFieldAsDateTime(i)),
    ogr.OFTInteger: lambda feature, i: feature.GetFieldAsInteger64(i),
    ogr.OFTInteger64: lambda feature, i: feature.GetFieldAsInteger64(i),
    ogr.OFTReal: lambda feature, i: feature.GetFieldAsDouble(i),
}
"""By OGR's type of the field; all others are text."""


def _rfc3339(parts: list[Any]) -> str:
    year, month, day, hour, minute, second, zone = parts
    # GDAL counts zones in quarters of an hour from 100, which is UTC; GeoPackage times are UTC.
    offset = (zone - 100) * 15 if zone > 1 else 0
    sign, hours, minutes = "-" if offset < 0 else "+", abs(offset) // 60, abs(offset) % 60
    end = "Z" if not offset else f"{sign}{hours:02d}:{minutes:02d}"
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:06.3f}{end}"


def _geojson(shape: ogr.Geometry | None) -> dict[str, Any] | None:
    """GeoJSON with all digits, which GDAL's own writer would round."""
    if shape is None or shape.IsEmpty():
        return None
    if ogr.GT_Flatten(shape.GetGeometryType()) == ogr.wkbMultiPolygon:
        polygons = tuple(_polygon(shape.GetGeometryRef(i)) for i in range(shape.GetGeometryCount()))
        return {"type": "MultiPolygon", "coordinates": polygons}
    return {"type": "Polygon", "coordinates": _polygon(shape)}


def _polygon(shape: ogr.Geometry) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Tuples for lists, as `answer.evidence` keeps them."""
    return tuple(
        tuple((point[0], point[1]) for point in shape.GetGeometryRef(i).GetPoints())
        for i in range(shape.GetGeometryCount())
    )
