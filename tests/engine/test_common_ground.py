"""Results on different pixels: objects are matched by where they lie, and nobody's blind spot is a change.

The truth is rectangles on the map, put on each grid by pyproj and plain algebra; the code under test converts back.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Geod, Transformer
from shapely.affinity import rotate, translate
from shapely.geometry import MultiPolygon, Polygon, box

from groundproof.diff import diff, format_diff
from groundproof.tables import TABLES, Result
from tests.engine.audit_cases import answer_row, cover_of, row, tiles_table

UTM = CRS.from_epsg(32631)
X, Y = 443000.0, 4100000.0

FIRST = Affine(0.5, 0, X, 0, -0.5, Y)
"""300 x 200 m at 0.5 m."""


def rectangle(x: float, y: float, width: float = 20, height: float = 12, angle: float = 0) -> Polygon:
    """A rectangle on the ground, metres right of and below the first scene's corner."""
    return rotate(box(X + x, Y - y - height, X + x + width, Y - y), angle)


def seen(
    objects: dict[str, Polygon],
    affine: Affine = FIRST,
    size: tuple[int, int] = (600, 400),
    crs: CRS = UTM,
    out_crs: CRS | None = None,
    *,
    scene: str = "canvas",
    aoi: Polygon | None = None,
    statuses: tuple[str, ...] = ("ok",),
    labels: dict[str, str] | None = None,
    question: str = "How many airplanes are there?",
) -> Result:
    """A result whose evidence are these objects of the ground (in UTM), seen on a grid in columns of equal width."""
    width, height = size
    out = out_crs or crs
    to_scene = Transformer.from_crs(UTM, crs, always_xy=True).transform
    to_out = Transformer.from_crs(UTM, out, always_xy=True).transform
    scene_to_out = Transformer.from_crs(crs, out, always_xy=True).transform
    rows, shapes = [], []
    for name, polygon in objects.items():
        there = np.array(shapely.transform(polygon, to_scene, interleaved=False).exterior.coords)
        px = np.stack(~affine @ there.T, axis=1)
        numbers = (*px.min(axis=0), *px.max(axis=0))
        label = (labels or {}).get(name, "airplane")
        rows.append(row(name, tuple(map(float, numbers)), label, scene=scene))
        shapes.append(shapely.transform(polygon, to_out, interleaved=False))
    evidence = pd.DataFrame(rows, columns=[c.name for c in TABLES["evidence"]])
    evidence["angle_deg"] = evidence["angle_deg"].astype(float)
    corners = [affine @ corner for corner in ((0, 0), (width, 0), (width, height), (0, height))]
    footprint = shapely.transform(Polygon(corners), scene_to_out, interleaved=False)
    area = footprint if aoi is None else shapely.transform(aoi, to_out, interleaved=False)
    tiles = tiles_table(*statuses)
    edges = np.linspace(0, width, len(statuses) + 1).astype(int)
    tiles["window_px"] = [[int(x0), 0, int(x1), height] for x0, x1 in pairwise(edges)]
    tiles["scene"] = scene
    scenes = {
        "scene": scene, "path": "x", "content_id": "c", "crs_wkt": crs.to_wkt(), "affine": list(affine)[:6],
        "gcps": None, "width": width, "height": height, "gsd_m": 0.5, "datetime": None, "status": "ok", "reason": None,
    }  # fmt: skip
    answer = answer_row(
        scene=scene,
        question=question,
        coverage=cover_of(*statuses),
        answer=f"{len(rows)} airplanes",
        value=len(rows),
    )

    def frame(name: str, data: Any, geometry: list[Any]) -> gpd.GeoDataFrame:
        columns = [c.name for c in TABLES[name]]
        return gpd.GeoDataFrame(pd.DataFrame(data)[columns], geometry=gpd.GeoSeries(geometry, crs=out))

    return Result(
        frame("evidence", evidence, shapes),
        frame("answers", [answer], [MultiPolygon([area])]),
        frame("tiles", tiles, [footprint] * len(tiles)),
        frame("scenes", [scenes], [footprint]),
        {},
    )


GRIDS: dict[str, dict[str, Any]] = {
    "shifted by a third of a pixel": {"affine": Affine.translation(0.17, -0.17) @ FIRST},
    "twice as coarse": {"affine": Affine(1, 0, X, 0, -1, Y), "size": (300, 200)},
    "turned by 30 degrees": {
        "affine": Affine.translation(X - 60, Y + 40) @ Affine.rotation(30) @ Affine.scale(0.6, -0.6),
        "size": (900, 900),
    },
    "in Web Mercator": {
        "affine": Affine(0.6, 0, 262320, 0, -0.6, 4444180),
        "size": (800, 700),
        "crs": CRS.from_epsg(3857),
    },
    "in degrees": {
        "affine": Affine(6e-6, 0, 2.3585, 0, -5e-6, 37.0455),
        "size": (900, 700),
        "crs": CRS.from_epsg(4326),
    },
    "in the next zone, given in degrees": {
        "affine": Affine(0.6, 0, -90700, 0, -0.6, 4120400),
        "size": (900, 900),
        "crs": CRS.from_epsg(32632),
        "out_crs": CRS.from_epsg(4326),
    },
}


def covering(grid: dict[str, Any]) -> dict[str, Any]:
    """The grid, moved so that its middle lies on the first scene's middle."""
    crs, size = grid.get("crs", UTM), grid.get("size", (600, 400))
    if grid["affine"].c > X - 100 and crs == UTM:
        return grid
    x, y = Transformer.from_crs(UTM, crs, always_xy=True).transform(X + 150, Y - 100)
    there = grid["affine"] @ (size[0] / 2, size[1] / 2)
    return {**grid, "affine": Affine.translation(x - there[0], y - there[1]) @ grid["affine"]}


@pytest.mark.parametrize("name", GRIDS)
def test_what_stayed_moved_came_and_went_is_told_apart_on_any_grid(name: str) -> None:
    stays, turned = rectangle(40, 40), rectangle(100, 60, angle=25)
    before = {"E1": stays, "E2": turned, "E3": rectangle(160, 120), "E4": rectangle(220, 40)}
    after = {
        "E1": rectangle(60, 140),
        "E2": translate(before["E3"], 5, 0),
        "E3": turned,
        "E4": stays,
    }
    a, b = seen(before), seen(after, **covering(GRIDS[name]), scene="another canvas")
    found = diff(a, b)
    (answer,) = found.answers
    assert (found.added, found.removed) == ((), ())
    assert set(answer.kept) == {("E1", "E4"), ("E2", "E3")}
    assert [item.evidence_id for item in answer.added] == ["E1"]
    assert [item.evidence_id for item in answer.removed] == ["E4"]
    (moved,) = answer.changed
    assert (moved.before.evidence_id, moved.after.evidence_id, set(moved.what)) == ("E3", "E2", {"box_px"})
    lonlat = Transformer.from_crs(UTM, CRS.from_epsg(4326), always_xy=True).transform
    ends = [lonlat(*polygon.centroid.coords[0]) for polygon in (before["E3"], after["E2"])]
    assert moved.moved_m == pytest.approx(Geod(ellps="WGS84").inv(*ends[0], *ends[1])[2], abs=0.02)
    assert not answer.same_pixels
    assert (answer.outside.before, answer.outside.after) == ((), ())
    back = diff(b, a).answers[0]
    assert (back.added, back.removed) == (answer.removed, answer.added)
    assert set(back.kept) == {(j, i) for i, j in answer.kept}
    document = json.loads(json.dumps(found.as_dict()))
    assert document["answers"][0]["changed"][0]["moved_m"] == moved.moved_m
    assert "box moved by up to 10.0 px (5.0 m)" in format_diff(found)


def test_objects_where_the_other_did_not_look_neither_came_nor_went() -> None:
    before = {"E1": rectangle(40, 40), "E2": rectangle(260, 40), "E3": rectangle(40, 160)}
    half = Affine.translation(100, 0) @ FIRST  # starts 100 m farther east and ends 100 m farther
    a = seen(before)
    b = seen({"E1": before["E2"], "E2": rectangle(340, 40)}, half)
    (answer,) = diff(a, b).answers
    assert answer.kept == (("E2", "E1"),)
    assert (answer.added, answer.removed) == ((), ())
    assert [item.evidence_id for item in answer.outside.before] == ["E1", "E3"]
    assert [item.evidence_id for item in answer.outside.after] == ["E2"]
    text = format_diff(diff(a, b))
    assert "2 boxes of the first where the second did not look" in text
    assert "1 box of the second where the first did not look" in text


def test_tiles_that_failed_and_what_lies_beside_the_area_asked_about_were_not_looked_at() -> None:
    objects = {"E1": rectangle(40, 40), "E2": rectangle(260, 40)}
    shifted = Affine.translation(0.1, 0) @ FIRST
    failed = seen({}, shifted, statuses=("ok", "read_error"))
    (answer,) = diff(seen(objects), failed).answers
    assert [item.evidence_id for item in answer.removed] == ["E1"]
    assert [item.evidence_id for item in answer.outside.before] == ["E2"]
    elsewhere = seen({}, shifted, aoi=rectangle(150, 0, 150, 200))
    (answer,) = diff(seen(objects), elsewhere).answers
    assert [item.evidence_id for item in answer.removed] == ["E2"]
    assert [item.evidence_id for item in answer.outside.before] == ["E1"]


def test_an_object_that_the_other_canvas_cuts_is_the_same_object() -> None:
    whole = rectangle(92, 40)  # 8 of its 20 m lie west of the second canvas
    cut = rectangle(100, 40, 12)
    half = Affine.translation(100, 0) @ FIRST
    (answer,) = diff(seen({"E1": whole}), seen({"E1": cut}, half)).answers
    assert answer.kept == (("E1", "E1"),)
    sliver = rectangle(84, 40)  # 4 of its 20 m are seen by the second, which finds nothing there
    (answer,) = diff(seen({"E1": sliver}), seen({}, half)).answers
    assert (answer.removed, [item.evidence_id for item in answer.outside.before]) == ((), ["E1"])


def test_another_label_is_another_object_on_any_grid() -> None:
    there = Affine.translation(0.1, 0) @ FIRST
    a, b = seen({"E1": rectangle(40, 40)}), seen({"E1": rectangle(40, 40)}, there, labels={"E1": "ship"})
    (answer,) = diff(a, b).answers
    assert (len(answer.added), len(answer.removed), answer.kept) == (1, 1, ())


def test_jitter_of_a_coarser_grids_edges_is_no_movement() -> None:
    there = Affine(1, 0, X, 0, -1, Y)
    a = seen({"E1": rectangle(40, 40)})
    b = seen({"E1": translate(rectangle(40, 40), 1.5, -1.5)}, there, (300, 200))
    assert diff(a, b).answers[0].kept == (("E1", "E1"),)


def test_answers_that_share_no_ground_or_no_question_are_not_compared() -> None:
    far = Affine.translation(5000, 0) @ FIRST
    a = seen({"E1": rectangle(40, 40)})
    found = diff(a, seen({"E1": rectangle(5040, 40)}, far, scene="far"))
    assert found.answers == ()
    assert (found.removed, found.added) == (
        (("canvas", "How many airplanes are there?"),),
        (("far", "How many airplanes are there?"),),
    )
    other = diff(a, seen({}, Affine.translation(0.1, 0) @ FIRST, question="Where are ships?"))
    assert other.answers == ()


def test_the_same_grid_in_other_words_is_the_same_grid() -> None:
    a = seen({"E1": rectangle(40, 40)})
    b = seen({"E1": rectangle(40, 40)})
    b.scenes.loc[0, "crs_wkt"] = UTM.to_wkt("WKT1_GDAL")
    (answer,) = diff(a, b).answers
    assert answer.same_pixels
    assert answer.kept == (("E1", "E1"),)


def test_a_move_on_the_same_pixels_has_metres_too() -> None:
    (answer,) = diff(
        seen({"E1": rectangle(40, 40)}), seen({"E1": translate(rectangle(40, 40), 3, 2)})
    ).answers
    assert answer.same_pixels
    assert answer.changed[0].moved_m == pytest.approx(13**0.5, rel=2e-3)


def test_of_several_parcels_those_that_lie_on_each_other_belong_together() -> None:
    parts = [rectangle(x, 0, 50, 200) for x in range(0, 300, 50)]
    a, b = (
        _joined([seen({"E1": rectangle(x * 50 + 10, 40)}, affine, aoi=parts[x]) for x in order])
        for affine, order in (
            (FIRST, [0, 1, 2, 3, 4, 5]),
            (Affine.translation(0.1, 0) @ FIRST, [3, 1, 5, 0, 2, 4]),
        )
    )
    found = diff(a, b)
    assert [answer.answer_ids for answer in found.answers] == [
        ("A1", "A4"), ("A2", "A2"), ("A3", "A5"), ("A4", "A1"), ("A5", "A6"), ("A6", "A3"),
    ]  # fmt: skip
    assert all(answer.kept == (("E1", "E1"),) for answer in found.answers)


def _joined(results: list[Result]) -> Result:
    """Answers A1, A2, ... about one scene."""
    tables = {}
    for name in ("evidence", "answers", "tiles"):
        frames = [getattr(r, name).assign(answer_id=f"A{n}") for n, r in enumerate(results, start=1)]
        tables[name] = pd.concat(frames, ignore_index=True)
    return Result(**tables, scenes=results[0].scenes, metadata={})


def test_twenty_thousand_objects_a_side_are_compared() -> None:
    count = 20_000
    grid = np.stack(np.meshgrid(np.arange(200), np.arange(100)), axis=-1).reshape(-1, 2)[:count]
    boxes = [box(X + 10 * x, Y - 10 * y - 6, X + 10 * x + 6, Y - 10 * y) for x, y in grid.tolist()]
    objects = {f"E{n}": one for n, one in enumerate(boxes, start=1)}
    size = (4000, 2000)
    a, b = seen(objects, size=size), seen(objects, Affine.translation(0.1, 0.1) @ FIRST, size)
    (answer,) = diff(a, b).answers
    assert len(answer.kept) + len(answer.outside.before) == count
    assert (answer.added, answer.removed, answer.changed) == ((), (), ())
