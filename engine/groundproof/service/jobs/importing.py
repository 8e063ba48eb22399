"""The process "import": the tables of a result from elsewhere, as JSON, become a result here.

Knows how rows must fit together. Refuses files: no foreign SQLite is opened, and nothing that a scene's path
names is read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from pydantic import BaseModel, ConfigDict, Field
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from groundproof.audit.review import reviewed
from groundproof.boxes import Grid, GroundControlPoint
from groundproof.coverage import coverage
from groundproof.errors import TooLargeError, UsageError
from groundproof.georeference import Georeferencer
from groundproof.placement import parse_crs
from groundproof.service.jobs.table_rows import MAX_TILE_PX, Metadata, SceneRow, Tables
from groundproof.tables import TABLES, Column, Result

EXAMPLE: dict[str, Any] = {
    "crs": "EPSG:32631",
    "tables": {
        "scenes": [
            {
                "scene": "harbour",
                "crs_wkt": "EPSG:32631",
                "affine": [0.3, 0, 595000, 0, -0.3, 5745000],
                "width": 4000,
                "height": 3000,
                "status": "ok",
            }
        ],
        "answers": [
            {
                "answer_id": "A1",
                "scene": "harbour",
                "question": "How many ships are there?",
                "task": "count",
                "answer": "1 ship",
                "value": 1,
            }
        ],
        "tiles": [
            {
                "tile_id": "t1",
                "answer_id": "A1",
                "scene": "harbour",
                "window_px": [0, 0, 448, 448],
                "status": "ok",
                "text": "",
            }
        ],
        "evidence": [
            {
                "evidence_id": "E1",
                "answer_id": "A1",
                "scene": "harbour",
                "image": 0,
                "label": "ship",
                "box_px": [100, 100, 200, 140],
                "verdict": "unchecked",
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [
                        [
                            [595030, 5744970],
                            [595030, 5744958],
                            [595060, 5744958],
                            [595060, 5744970],
                            [595030, 5744970],
                        ]
                    ],
                },
            }
        ],
    },
}


class ImportInputs(BaseModel):
    """The tables of a result that another engine made, or this one and forgot, as a result of this service.

    Audits, comparisons, exports of corrections and follow-up questions then work on it as on any other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    crs: str | None = Field(
        default=None,
        max_length=20_000,
        description="Of all geometries, EPSG:code or WKT; null in pixel space, where y is minus the row.",
    )
    tables: Tables = Field(
        description="The rows of evidence, answers, tiles and scenes by column, as the GeoPackage has them; JSON "
        "columns as JSON, `geometry` as GeoJSON in `crs`."
    )
    metadata: Metadata = Field(
        default=Metadata(),
        description="The result's metadata. Without its `configuration` counts follow the questions' words alone, "
        "and no Geo-CoT can be exported.",
    )


def check(inputs: ImportInputs) -> None:
    """Raise UsageError where rows do not fit together, TooLargeError for a tile that nobody could read again."""
    tables = inputs.tables
    _each_once("scene", (row.scene for row in tables.scenes))
    _each_once("answer_id", (row.answer_id for row in tables.answers))
    names = Counter((row.answer_id, row.evidence_id) for row in tables.evidence if row.evidence_id)
    if twice := [name for name, number in names.items() if number > 1]:
        answer_id, evidence_id = twice[0]
        raise UsageError(
            f"Two rows of evidence are {evidence_id} of {answer_id}. A copy of a box needs an evidence_id of its own: "
            "leave it empty (NULL), and the next number is given."
        )
    sized = {row.scene: (row.width, row.height) for row in tables.scenes if row.status == "ok"}
    answers = {row.answer_id for row in tables.answers}
    for what, scenes in (
        ("answers", (row.scene for row in tables.answers)),
        ("tiles", (row.scene for row in tables.tiles)),
        ("evidence", (row.scene for row in tables.evidence if row.scene is not None)),
    ):
        _known(what, "scene", scenes, sized)
    _known("tiles", "answer_id", (row.answer_id for row in tables.tiles), answers)
    _known(
        "evidence",
        "answer_id",
        (row.answer_id for row in tables.evidence if row.answer_id is not None),
        answers,
    )
    for tile in tables.tiles:
        x0, y0, x1, y1 = tile.window_px
        width, height = sized[tile.scene]
        if x1 > (width or 0) or y1 > (height or 0):
            raise UsageError(
                f"The tile {tile.tile_id} has the window {list(tile.window_px)}, which reaches past its scene of "
                f"{width} x {height} px."
            )
        # With a configuration the model's own tile_px bounds what is read of a window.
        if inputs.metadata.configuration is None and max(x1 - x0, y1 - y0) > MAX_TILE_PX:
            raise TooLargeError(
                f"The tile {tile.tile_id} has {x1 - x0:,} x {y1 - y0:,} px; without the metadata's configuration at "
                f"most {MAX_TILE_PX:,} a side are taken."
            )
    crs = None if inputs.crs is None else parse_crs(inputs.crs, "crs")
    for scene in tables.scenes:
        if scene.status == "ok":
            _check_place(scene, crs)


def result_of(inputs: ImportInputs) -> tuple[Result, Result]:
    """The result as it came, and with boxes drawn or moved by hand numbered and measured. `check` has passed.

    Raises UsageError for a box drawn by hand that belongs to no answer, or lies in no scene.
    """
    crs = None if inputs.crs is None else parse_crs(inputs.crs, "crs").to_2d()
    frames = {name: _frame(getattr(inputs.tables, name), TABLES[name], crs) for name in TABLES}
    frames["evidence"]["image"] = frames["evidence"]["image"].fillna(0)
    frames["scenes"]["crs_wkt"] = pd.Series([_wkt(row.crs_wkt) for row in inputs.tables.scenes], dtype=object)
    given = inputs.metadata.model_dump(mode="json")
    metadata = {name: value for name, value in given.items() if value is not None}
    came = Result(**frames, metadata=metadata)
    answers = came.answers.copy()
    for row in range(len(answers)):
        if answers["coverage"].iloc[row] is None:
            tiles = came.tiles[came.tiles["answer_id"] == answers["answer_id"].iloc[row]]
            answers["coverage"].iat[row] = coverage(tiles)  # noqa: PD009 - the value is a dict
    done = Result(reviewed(came), answers, came.tiles, came.scenes, metadata)
    return came, done


def _frame(rows: list[Any], columns: tuple[Column, ...], crs: CRS | None) -> gpd.GeoDataFrame:
    """A table as `outputs.read` gives it."""
    documents = [row.model_dump(mode="json", exclude={"geometry"}) for row in rows]
    shapes: list[BaseGeometry | None] = [
        None if row.geometry is None else row.geometry.shape() for row in rows
    ]
    data = {c.name: _column([document[c.name] for document in documents], c) for c in columns}
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=crs))


def _column(values: list[Any], column: Column) -> Any:
    if column.kind == "float":
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if column.kind == "int":
        return pd.array(values, dtype="Int64")
    return pd.Series(values, dtype=object)


def _wkt(text: str | None) -> str | None:
    """As a scenes table has it, whatever way the CRS was written."""
    return None if text is None else parse_crs(text, "crs_wkt").to_wkt("WKT2_2019")


def _each_once(column: str, names: Iterable[str]) -> None:
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise UsageError(f"Two rows have the {column} {twice[0]!r}. Each has one of its own.")


def _known(table: str, column: str, names: Iterable[str], known: Iterable[str]) -> None:
    allowed = set(known)
    for name in names:
        if name not in allowed:
            few = ", ".join(sorted(allowed)[:10]) or "none"
            raise UsageError(f"A row of {table} has the {column} {name!r}; there are {few}.")


def _check_place(scene: SceneRow, crs: CRS | None) -> None:
    """Raise UsageError, SceneError for a scene whose pixels have no place, or one in another space than the boxes."""
    own = None if scene.crs_wkt is None else parse_crs(scene.crs_wkt, f"the crs_wkt of {scene.scene}")
    has_place = own is not None and (scene.affine is not None or bool(scene.gcps))
    if has_place is not (crs is not None):
        raise UsageError(
            f"The scene {scene.scene} {'lies on the map' if has_place else 'is in pixel space'} and the geometries "
            f"{'have no crs' if crs is None else 'do not'}. Both do, or neither."
        )
    if has_place:
        gcps = tuple(GroundControlPoint(*point) for point in scene.gcps or ())
        affine = None if gcps or scene.affine is None else Affine(*scene.affine)
        Georeferencer(Grid(int(scene.width or 1), int(scene.height or 1), own, affine, gcps))
