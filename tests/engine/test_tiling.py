"""Tiles cover the AOI: a painted counter is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio.features
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.boxes import Grid, Tile
from groundproof.errors import AoiError, UsageError
from groundproof.tiling import MAX_ASPECT, MIN_SIDE_MULTIPLES, TilePlan, estimate, plan
from groundproof.validity import ValidityIndex

SIDES = st.integers(4, 12).map(lambda k: k * 28)


def painted(grid: Grid, tiles: tuple[Tile, ...]) -> np.ndarray:
    """How often each pixel of the scene is shown to the model."""
    corners = np.zeros((grid.height + 1, grid.width + 1), np.int32)
    for tile in tiles:
        w = tile.window
        x1, y1 = min(w.x1, grid.width), min(w.y1, grid.height)
        corners[w.y0, w.x0] += 1
        corners[y1, x1] += 1
        corners[w.y0, x1] -= 1
        corners[y1, w.x0] -= 1
    return corners.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]


def check_tiles(grid: Grid, tile_plan: TilePlan, multiple: int) -> None:
    """What holds for every plan."""
    every = sorted(tile_plan.tiles + tile_plan.skipped, key=lambda t: t.index)
    assert [t.index for t in every] == list(range(len(every)))
    assert [t.cells for t in every] == sorted(t.cells for t in every)
    for tile in every:
        w = tile.window
        assert tile.model_width % multiple == 0
        assert tile.model_height % multiple == 0
        assert min(tile.model_width, tile.model_height) >= MIN_SIDE_MULTIPLES * multiple
        longer, shorter = max(tile.model_width, tile.model_height), min(tile.model_width, tile.model_height)
        assert longer <= MAX_ASPECT * shorter + multiple
        assert w.x0 >= 0
        assert w.y0 >= 0
        assert w.x1 <= grid.width or w.x0 == 0
        assert w.y1 <= grid.height or w.y0 == 0


@given(
    st.integers(1, 3000),
    st.integers(1, 3000),
    SIDES,
    st.integers(0, 111),
    st.sampled_from([0.25, 0.7, 1.0, 1.9]),
)
@settings(max_examples=60, deadline=None)
def test_every_pixel_of_a_scene_is_seen(width, height, side, overlap, scale) -> None:
    grid = Grid(width, height)
    tile_plan = plan(grid, None, tile_px=side, overlap_px=overlap, multiple_px=28, scale=scale)
    check_tiles(grid, tile_plan, 28)
    assert painted(grid, tile_plan.tiles).min() >= 1


@st.composite
def polygons(draw, width: int, height: int):
    """Convex, concave and multi-part areas that share at least one pixel's area with the scene."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        x, y = draw(st.floats(0, width)), draw(st.floats(0, height))
        radius = draw(st.floats(2, 800))
        angles = np.sort(draw(st.lists(st.floats(0, 6.28), min_size=3, max_size=9, unique=True)))
        reach = [draw(st.floats(0.2, 1.0)) for _ in angles]
        ring = [
            (x + radius * r * np.cos(a), y + radius * r * np.sin(a))
            for a, r in zip(angles, reach, strict=True)
        ]
        parts.append(shapely.make_valid(shapely.Polygon(ring)))
    area = shapely.union_all(parts).intersection(shapely.box(0, 0, width, height))
    return shapely.union_all([p for p in shapely.get_parts(area) if p.geom_type == "Polygon"])


@given(st.data(), st.integers(30, 1500), st.integers(30, 1500), SIDES, st.integers(0, 111))
@settings(max_examples=60, deadline=None)
def test_every_pixel_of_an_aoi_is_seen_and_no_tile_lies_beside_it(data, width, height, side, overlap) -> None:
    grid = Grid(width, height)
    aoi = data.draw(polygons(width, height))
    if aoi.is_empty or aoi.area < 1e-6:
        return
    tile_plan = plan(grid, aoi, tile_px=side, overlap_px=overlap, multiple_px=28)
    check_tiles(grid, tile_plan, 28)
    shapely.prepare(aoi)
    wanted = rasterio.features.rasterize(
        [aoi], (height, width), transform=Affine.identity(), all_touched=False
    )
    assert (painted(grid, tile_plan.tiles)[wanted == 1] >= 1).all()
    boxes = shapely.box(
        *np.array([(t.window.x0, t.window.y0, t.window.x1, t.window.y1) for t in tile_plan.tiles]).T
    )
    assert (shapely.area(shapely.intersection(boxes, aoi)) > 0).all()


@given(st.data(), st.integers(1, 1200), st.integers(1, 1200), st.sampled_from([16, 64, 300]))
@settings(max_examples=60, deadline=None)
def test_every_valid_pixel_is_seen_and_only_proven_empty_tiles_are_skipped(data, width, height, cell) -> None:
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    grid = Grid(width, height)
    valid = np.zeros((height, width), dtype=bool)
    spots = data.draw(st.integers(0, 6))
    valid[rng.integers(0, height, spots), rng.integers(0, width, spots)] = True
    rows, cols = -(-height // cell), -(-width // cell)
    padded = np.zeros((rows * cell, cols * cell), dtype=bool)
    padded[:height, :width] = valid
    index = ValidityIndex(padded.reshape(rows, cell, cols, cell).any(axis=(1, 3)), cell, cell)
    tile_plan = plan(grid, None, tile_px=112, overlap_px=28, multiple_px=28, valid=index)
    assert (painted(grid, tile_plan.tiles)[valid] >= 1).all()
    assert not valid[painted(grid, tile_plan.skipped) > 0][
        painted(grid, tile_plan.tiles)[painted(grid, tile_plan.skipped) > 0] == 0
    ].any()
    for tile in tile_plan.skipped:
        w = tile.window
        assert not valid[w.y0 : w.y1, w.x0 : w.x1].any()
    assert painted(grid, tile_plan.tiles + tile_plan.skipped).min() >= 1


@pytest.mark.parametrize(
    ("size", "model"),
    [
        ((600, 200), (616, 308)),
        ((200, 600), (308, 616)),
        ((1, 1), (112, 112)),
        ((896, 896), (896, 896)),
        ((897, 400), (896, 448)),
        ((300, 280), (308, 280)),
        ((5000, 100), (896, 448)),
    ],
)
def test_small_scenes_get_small_tiles_no_narrower_than_two_to_one(size, model) -> None:
    tile_plan = plan(Grid(*size), None, tile_px=896, overlap_px=128, multiple_px=28)
    assert {(t.model_width, t.model_height) for t in tile_plan.tiles} == {model}


def test_the_last_column_of_a_sentinel_scene_is_seen() -> None:
    tile_plan = plan(Grid(10_980, 10_980), None, tile_px=896, overlap_px=128, multiple_px=28)
    last = max(tile_plan.tiles, key=lambda t: t.window.x1)
    assert last.window.x1 == 10_980
    assert last.window.width == 896


def test_tiles_come_in_block_row_order() -> None:
    tiles = plan(Grid(3000, 3000), None, tile_px=448, overlap_px=64, multiple_px=28).tiles
    assert [(t.window.y0, t.window.x0) for t in tiles] == sorted((t.window.y0, t.window.x0) for t in tiles)


def test_a_small_aoi_is_shown_with_the_scene_around_it() -> None:
    aoi = shapely.box(500, 600, 520, 610)
    (tile,) = plan(Grid(3000, 3000), aoi, tile_px=448, overlap_px=64, multiple_px=28).tiles
    assert (tile.window.width, tile.window.height) == (448, 448)
    assert tile.window.x0 == pytest.approx(510 - 224, abs=1)
    (corner,) = plan(
        Grid(3000, 3000), shapely.box(0, 0, 5, 5), tile_px=448, overlap_px=64, multiple_px=28
    ).tiles
    assert (corner.window.x0, corner.window.y0) == (0, 0)


def test_scale_changes_what_a_tile_covers_not_what_the_model_gets() -> None:
    tiles = plan(Grid(8000, 8000), None, tile_px=448, overlap_px=64, multiple_px=28, scale=0.25).tiles
    assert {(t.window.width, t.model_width) for t in tiles} == {(1792, 448)}
    columns = sorted({t.window.x0 for t in tiles})
    assert columns[1] - columns[0] == 1792 - 256


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tile_px": 900}, "nearest allowed are 896 and 924"),
        ({"tile_px": 0}, "smallest tile of this model is 112"),
        ({"tile_px": -28}, "smallest tile"),
        ({"overlap_px": 896}, "give 0 to 895 px"),
        ({"overlap_px": -1}, "--overlap -1"),
        ({"scale": 0.0}, "positive"),
        ({"scale": float("nan")}, "positive"),
        ({"tile_px": (1120, 280)}, "too narrow"),
        ({"scale": 1e6}, "tiles; at most"),
    ],
)
def test_options_that_cannot_be_are_usage_errors(options, words) -> None:
    with pytest.raises(UsageError, match=words):
        plan(Grid(2000, 2000), None, **{"tile_px": 896, "overlap_px": 128, "multiple_px": 28, **options})


def test_an_aoi_beside_the_scene_is_refused() -> None:
    with pytest.raises(AoiError, match="shares no pixel"):
        plan(Grid(100, 100), shapely.box(200, 200, 300, 300), tile_px=896, overlap_px=0, multiple_px=28)


def test_a_dry_run_tells_tiles_area_and_memory() -> None:
    tile_plan = plan(Grid(2000, 1000), None, tile_px=448, overlap_px=64, multiple_px=28)
    numbers = estimate(tile_plan, 0.5)
    assert numbers.tiles == len(tile_plan.tiles)
    assert numbers.area_m2 == pytest.approx(2000 * 1000 * 0.25)
    assert numbers.model_px == numbers.tiles * 448**2
    assert 0 < numbers.memory_bytes < 2**27
    assert estimate(tile_plan, None).area_m2 is None
