"""One object in two overlapping scenes: against a dense version in shapely, and from files to counts."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.features import rasterize
from shapely.affinity import affine_transform, rotate

from groundproof.ask_options import AskOptions
from groundproof.assemble import assemble
from groundproof.audit import reaudit
from groundproof.dedupe import GroundBoxes, ground, keepers
from groundproof.run import RunDirectory
from groundproof.session import Session

from .square_finder import SquareFinder

QUESTION = "How many airplanes are there?"


def dense(boxes: GroundBoxes, iou: float = 0.5, over_smaller: float = 0.5) -> list[int]:
    """Every pair of boxes, best first; a plain loop."""
    shapes = [shapely.Polygon(one) for one in boxes.corners]
    n = len(shapes)
    place = sorted(range(n), key=lambda i: (-boxes.inset_m[i], -shapes[i].area, i))
    rank = {row: at for at, row in enumerate(place)}
    pairs = []
    for i, j in combinations(range(n), 2):
        if boxes.scene[i] == boxes.scene[j] or boxes.kind[i] != boxes.kind[j]:
            continue
        both = shapes[i].intersection(shapes[j]).area
        cut = bool(boxes.at_border[i] or boxes.at_border[j])
        whole = min(shapes[i].area, shapes[j].area) if cut else shapes[i].union(shapes[j]).area
        share = round(both / whole, 9)
        if both > 0 and share >= (over_smaller if cut else iou):
            first, second = sorted((rank[i], rank[j]))
            pairs.append((-share, first, second, i, j))
    groups = [{i} for i in range(n)]
    for *_, i, j in sorted(pairs):
        one, other = (next(g for g in groups if k in g) for k in (i, j))
        if one is not other and not {boxes.scene[k] for k in one} & {boxes.scene[k] for k in other}:
            groups.remove(other)
            one |= other
    return [min(next(g for g in groups if i in g), key=lambda k: rank[k]) for i in range(n)]


def boxes_of(rows: list[tuple[int, int, int, int, int, int, bool, int, int]], x: float = 0.0) -> GroundBoxes:
    corners = np.array(
        [
            np.array(rotate(shapely.box(a, b, a + w, b + h), turn).exterior.coords)[:4]
            for a, b, w, h, *_, turn in rows
        ]
    ).reshape(-1, 4, 2)
    return GroundBoxes(
        corners + np.array([x, 0.0]),
        np.array([r[4] for r in rows], dtype=np.int32),
        np.array([r[5] for r in rows], dtype=np.int32),
        np.array([r[6] for r in rows], dtype=bool),
        np.array([r[7] for r in rows], dtype=float),
    )


some_boxes = st.lists(
    st.tuples(
        st.integers(0, 25),
        st.integers(0, 25),
        st.integers(3, 15),
        st.integers(3, 15),
        st.integers(0, 3),
        st.integers(0, 1),
        st.booleans(),
        st.integers(0, 4),
        st.sampled_from([0, 0, 17, 45]),
    ),
    max_size=14,
)


@given(some_boxes, st.sampled_from([0.3, 0.5, 0.8]))
@settings(deadline=None, max_examples=150)
def test_the_same_boxes_count_as_in_the_dense_version(rows: list, iou: float) -> None:
    boxes = boxes_of(rows)
    assert keepers(boxes, iou).tolist() == dense(boxes, iou)


def test_one_object_on_both_sides_of_the_antimeridian_is_one() -> None:
    here, there = (
        Transformer.from_crs("EPSG:4326", ground(), always_xy=True).transform(x, 10.0)[0]
        for x in (180.0, -180.0)
    )
    square = np.array([[-20, 0], [20, 0], [20, 40], [-20, 40]], dtype=float)
    east, west = (square + np.array([x, 0.0]) for x in (here, there))
    other = square + np.array([there + 200, 0.0])
    for corners in ([east, west, other], [west, east, other]):
        boxes = GroundBoxes(
            np.array(corners),
            np.arange(3, dtype=np.int32),
            np.zeros(3, dtype=np.int32),
            np.zeros(3, dtype=bool),
            np.array([5.0, 9.0, 1.0]),
        )
        assert keepers(boxes).tolist() == [1, 1, 2]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="corners"):
        GroundBoxes(np.zeros((2, 4, 2)), *(np.zeros(1) for _ in range(4)))


def paint(path: Path, crs: str, affine: Affine, objects: list[shapely.Polygon], side: int = 600) -> None:
    """A scene of bright objects, given in longitude and latitude."""
    there = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
    shapes = [shapely.transform(one, there, interleaved=False) for one in objects]
    bright = rasterize(shapes, (side, side), transform=affine, fill=40, default_value=250, dtype="uint8")
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=3, dtype="uint8", crs=crs, transform=affine
    ) as file:
        file.write(np.stack([bright] * 3))


@pytest.fixture
def overlapping(tmp_path: Path) -> tuple[tuple[str, ...], int]:
    """Three scenes that share ground: north-up, turned by ten degrees, and in the neighbouring zone; and how many
    different objects they show. 0.5 m pixels, 300 m sides, around 5.95 degrees east."""
    west, east = "EPSG:32631", "EPSG:32632"
    x, y = Transformer.from_crs("EPSG:4326", west, always_xy=True).transform(5.95, 37.0)
    back = Transformer.from_crs(west, "EPSG:4326", always_xy=True).transform
    turned = Affine.translation(x + 100, y + 20) @ Affine.rotation(-10) @ Affine.scale(0.5, -0.5)
    ex, ey = Transformer.from_crs(west, east, always_xy=True).transform(x + 150, y - 100)
    grids = {
        "north.tif": (west, Affine.translation(x, y) @ Affine.scale(0.5, -0.5)),
        "turned.tif": (west, turned),
        "zone.tif": (east, Affine.translation(ex, ey) @ Affine.scale(0.5, -0.5)),
    }
    # 24 m squares, 47 m apart: some lie in one scene, some in two or three, some are cut by borders.
    objects = [
        shapely.transform(shapely.box(a, b, a + 24, b + 24), back, interleaved=False)
        for a in np.arange(x - 40, x + 520, 47)
        for b in np.arange(y - 460, y + 60, 47)
    ]
    visible = [[_px_inside(one, *grid) for grid in grids.values()] for one in objects]
    # Slivers of an object at a border are nothing that a finder could box.
    kept = [i for i, parts in enumerate(visible) if all(part < 1 or part > 150 for part in parts)]
    for name, (crs, affine) in grids.items():
        paint(tmp_path / name, crs, affine, [objects[i] for i in kept])
    seen = sum(max(visible[i]) > 150 for i in kept)
    assert sum(sorted(visible[i])[-2] > 150 for i in kept) > 20
    assert sum(min(visible[i]) > 150 for i in kept) > 5
    return tuple(str(tmp_path / name) for name in grids), seen


def _px_inside(one: shapely.Polygon, crs: str, affine: Affine) -> float:
    """Area of an object inside a scene of 600 x 600 px, pixels."""
    there = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
    back = ~affine
    px = affine_transform(
        shapely.transform(one, there, interleaved=False), [back.a, back.b, back.d, back.e, back.c, back.f]
    )
    return float(px.intersection(shapely.box(0, 0, 600, 600)).area)


def test_an_object_in_three_scenes_of_different_grids_counts_once_and_says_where(
    overlapping: tuple[tuple[str, ...], int], finder: SquareFinder, tmp_path: Path
) -> None:
    scenes, n_objects = overlapping
    with Session(AskOptions(scenes=scenes, questions=(QUESTION,))) as session:
        run, plain = session.run(tmp_path / "a.run")
    once = assemble(run, metadata={}, dedupe_scenes=True)
    assert sum(plain.answers.value) > n_objects
    assert sum(once.answers.value) == n_objects
    assert len(once.evidence) == len(plain.evidence)
    _each_duplicate_names_its_keeper(once)
    assert not [f for audit in once.answers.audit for f in audit if f["kind"] == "listed-twice"]
    assert [f["verdict"] for audit in once.answers.audit for f in audit if f["kind"] == "count"] == [
        f["verdict"] for audit in plain.answers.audit for f in audit if f["kind"] == "count"
    ]
    again = reaudit(once)
    assert list(again.answers.value) == list(once.answers.value)
    assert list(again.answers.audit) == list(once.answers.audit)


def _each_duplicate_names_its_keeper(result: object) -> None:
    evidence = result.evidence.set_index(["scene", "evidence_id"])
    named = 0
    for answer in result.answers.itertuples():
        for finding in answer.audit:
            if finding["kind"] != "other-scene":
                continue
            scene = re.search(r"in scene (\S+):", finding["sentence"])[1]
            pairs = re.findall(r"(E\d+) as (E\d+)", finding["sentence"])
            assert [own for own, _ in pairs] == finding["evidence"]
            for own, there in pairs:
                lowered, keeper = evidence.loc[(answer.scene, own)], evidence.loc[(scene, there)]
                assert (lowered.verdict, keeper.verdict) == ("duplicate", "unchecked")
                both = lowered.geometry.intersection(keeper.geometry).area
                assert both / min(lowered.geometry.area, keeper.geometry.area) > 0.5
                named += 1
    assert named == (evidence.verdict == "duplicate").sum() > 10


def test_scenes_that_share_no_ground_and_boxes_of_pixel_space_stay_as_they_are(
    finder: SquareFinder, tmp_path: Path
) -> None:
    square = shapely.box(5.95, 37.0, 5.9503, 37.0003)
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True).transform(5.95, 37.0)
    for name, shift in (("a.tif", 0), ("b.tif", 400)):
        affine = Affine.translation(x - 30 + shift, y + 100) @ Affine.scale(0.5, -0.5)
        paint(tmp_path / name, "EPSG:32631", affine, [square])
    for number, options in enumerate(({}, {"pixel_space": True})):
        scenes = tuple(str(tmp_path / name) for name in ("a.tif", "b.tif"))
        with Session(AskOptions(scenes=scenes, questions=(QUESTION,), **options)) as session:
            run, plain = session.run(tmp_path / f"{number}.run")
        once = assemble(run, metadata={}, dedupe_scenes=True)
        pd.testing.assert_frame_equal(plain.answers, once.answers)


def test_merging_again_takes_over_what_the_run_was_asked(
    overlapping: tuple[tuple[str, ...], int], finder: SquareFinder, tmp_path: Path
) -> None:
    scenes, n_objects = overlapping
    options = AskOptions(scenes=scenes, questions=(QUESTION,), dedupe_scenes=True)
    with Session(options) as session:
        _, result = session.run(tmp_path / "a.run")
    assert sum(result.answers.value) == n_objects
    again = assemble(RunDirectory.open(tmp_path / "a.run"), metadata={})
    assert list(again.answers.answer) == list(result.answers.answer)
    assert again.metadata["dedupe_scenes"] is True
