"""A batch's result as a STAC item beside it. Oracle: pystac with the schemas of the specification that it brings."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pystac
import pytest
import shapely
from pyproj import Transformer
from pystac.validation import validate_dict
from shapely.geometry import shape

from groundproof.outputs import Spool, write, write_stac, write_summary
from groundproof.outputs import spool as spool_module
from groundproof.tables import TABLES
from tests.engine import outputs_samples as samples

METADATA = samples.METADATA | {
    "run_id": "20260504-102030",
    "versions": {"groundproof": "0.1", "gdal": "3.10"},
}


def item_of(path: Path | None) -> pystac.Item:
    assert path is not None
    document = json.loads(path.read_text("utf-8"))
    assert validate_dict(document, extensions=[])  # the extensions' schemas are not on this computer
    return pystac.Item.from_dict(document)


def several(n: int):
    """Scenes in a row, 1 km apart, one more that could not be read; an answer for each."""
    scenes = [
        samples.scene_row(
            samples.UTM,
            scene=f"s{i}",
            datetime=f"2026-05-{i % 28 + 1:02d}T10:20:30Z",
            geometry=shapely.box(5e5 + 1000 * i, 4e6, 5e5 + 1000 * i + 700, 4e6 + 500),
        )
        for i in range(n)
    ]
    scenes.append(samples.scene_row(samples.UTM, scene="bad", datetime=None, status="failed", geometry=None))
    answers = [samples.answer_row(answer_id=f"A{i}", scene=f"s{i}", task="count") for i in range(n)]
    return samples.result(scenes=scenes, answers=answers, metadata=METADATA)


def test_an_item_says_where_when_and_how(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_module, "CHUNK_ROWS", 7)
    result = several(30)
    with Spool(tmp_path / "spool", result.crs) as spool:
        spool.metadata = result.metadata
        for name in TABLES:
            spool.add(name, getattr(result, name))
        made = write_stac(spool, write(spool, tmp_path / "harbours.gpkg"), tmp_path / "harbours.gpkg")
    assert made == tmp_path / "harbours.stac.json"
    item = item_of(made)
    to_degrees = Transformer.from_crs(samples.UTM, "OGC:CRS84", always_xy=True)
    want = shapely.union_all(
        [
            shapely.transform(g, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
            for g in result.scenes.geometry
            if g is not None
        ]
    )
    assert shape(item.geometry).symmetric_difference(want).area < 1e-5 * want.area  # 8 decimals
    assert item.bbox == pytest.approx(want.bounds, abs=1e-6)
    properties = item.properties
    assert (properties["start_datetime"], properties["end_datetime"]) == (
        "2026-05-01T10:20:30Z",
        "2026-05-28T10:20:30Z",
    )
    assert properties["proj:code"] == "EPSG:32631"
    assert "proj:shape" not in properties
    assert properties["title"] == "How many storage tanks are in the harbour?"
    assert properties["description"].endswith("And 10 more answers.")
    assert properties["mlm:tasks"] == ["object-detection"]
    assert properties["processing:software"] == METADATA["versions"]
    assert "and 11 more scenes" in properties["processing:lineage"]
    datetime.fromisoformat(properties["processing:datetime"])
    assert item.id == "harbours-20260504-102030"


def test_assets_are_the_files_by_relative_address(tmp_path):
    result = several(1)
    folder = tmp_path / "results of may"
    folder.mkdir()
    target = folder / "tanks #1.parquet"
    files = write(result, target)
    write_summary(result, tmp_path / "summary.csv")
    item = item_of(write_stac(result, [*files, tmp_path / "summary.csv"], target))
    parquet = ["parquet", "answers-parquet", "tiles-parquet", "scenes-parquet"]
    types = {key: asset.media_type for key, asset in item.assets.items()}
    assert types == dict.fromkeys(parquet, "application/vnd.apache.parquet") | {"summary-csv": "text/csv"}
    for asset in item.assets.values():
        assert not asset.href.startswith("/")
        assert (folder / unquote(asset.href)).is_file()
    assert [k for k, a in item.assets.items() if a.roles == ["data"]] == ["parquet"]


def test_of_a_folder_the_tables_are_assets(tmp_path):
    result = several(1)
    item = item_of(write_stac(result, write(result, tmp_path / "tanks"), tmp_path / "tanks"))
    assert set(item.assets) == set(TABLES)
    assert item.assets["tiles"].href == "./tanks/tiles/"
    assert all((tmp_path / a.href).is_dir() for a in item.assets.values())


def test_without_a_place_there_is_no_item(tmp_path):
    failed = [samples.scene_row(samples.UTM, status="failed", geometry=None)]
    for result in (samples.result(crs=None), samples.result(scenes=failed), samples.empty()):
        assert write_stac(result, [], tmp_path / "out.gpkg") is None
    assert list(tmp_path.iterdir()) == []
