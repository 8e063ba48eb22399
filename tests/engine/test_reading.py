"""Tiles as the model sees them: rasterio's own windows are the oracle."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.windows import Window as RioWindow

from groundproof.boxes import Tile, Window
from groundproof.errors import ReadError
from groundproof.reading import TilePixels, read_tile
from groundproof.runners.ahead import Ahead
from groundproof.scene import Scene, open_scene
from groundproof.sources import Views
from groundproof.stretch import FILL, Stretch, measure_stretch
from groundproof.tiling import plan
from groundproof.validity import index_validity

if TYPE_CHECKING:
    from pathlib import Path

PLACE = {"crs": "EPSG:32631", "transform": Affine(0.5, 0, 500_000, 0, -0.5, 5_600_000)}
AS_IS = Stretch(None, 0)


@dataclass(frozen=True)
class OneScene:
    """Opens one scene that is open already, whatever its name."""

    scene: Scene
    stretch: Stretch

    @contextmanager
    def views(self, name: str) -> Iterator[Views]:
        yield Views(name, ((self.scene, self.stretch),))


@dataclass(frozen=True)
class Place:
    tile: Tile
    scene: str = "a"


def reader_of(scene: Scene, stretch: Stretch, tiles: Iterable[Tile], *, ahead: int = 4) -> Ahead[Place]:
    return Ahead(OneScene(scene, stretch), (Place(tile) for tile in tiles), ahead=ahead)


def pairs(reader: Ahead[Place]) -> Iterator[tuple[Tile, TilePixels | Exception]]:
    """Tiles of one date."""
    for place, found in reader:
        yield place.tile, found.pixels if isinstance(found.pixels, Exception) else found.pixels[0]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch) -> None:
    monkeypatch.setattr("groundproof.runners.ahead.BACKOFF_S", 0.0)


def write(path: Path, data: np.ndarray, **profile) -> Path:
    with rasterio.open(
        path, "w", width=data.shape[2], height=data.shape[1], count=len(data), dtype=data.dtype,
        **{"driver": "GTiff", **PLACE, **profile},
    ) as out:  # fmt: skip
        out.write(data)
    return path


@pytest.fixture(scope="module")
def rgb_file(tmp_path_factory) -> Path:
    data = np.random.default_rng(0).integers(0, 255, (3, 500, 700), dtype=np.uint8)
    return write(tmp_path_factory.mktemp("scene") / "a.tif", data, tiled=True, blockxsize=128, blockysize=128)


@given(st.integers(0, 699), st.integers(0, 499), st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_window_holds_rasterios_pixels_and_grey_beyond_the_scene(rgb_file, x, y, width, height) -> None:
    with open_scene(rgb_file) as scene, rasterio.open(rgb_file) as bare:
        pixels = read_tile(scene, AS_IS, Tile(0, Window(x, y, width, height), width, height))
        oracle = bare.read(window=RioWindow(x, y, width, height), boundless=True, fill_value=FILL)
    assert np.array_equal(pixels.rgb, oracle.transpose(1, 2, 0))
    inside = (min(x + width, 700) - x) * (min(y + height, 500) - y)
    assert pixels.valid_share == pytest.approx(inside / (width * height))


@pytest.mark.parametrize(("model", "how"), [(112, Resampling.average), (448, Resampling.bilinear)])
def test_resampled_tiles_are_gdals_own_resampling(rgb_file, model, how) -> None:
    with open_scene(rgb_file) as scene, rasterio.open(rgb_file) as bare:
        pixels = read_tile(scene, AS_IS, Tile(0, Window(60, 50, 224, 224), model, model))
        oracle = bare.read(window=RioWindow(60, 50, 224, 224), out_shape=(3, model, model), resampling=how)
    assert np.array_equal(pixels.rgb, oracle.transpose(1, 2, 0))


def test_a_padded_tile_is_resampled_and_padded_in_proportion(tmp_path) -> None:
    path = write(tmp_path / "a.tif", np.full((3, 100, 100), 9, np.uint8))
    with open_scene(path) as scene:
        pixels = read_tile(scene, AS_IS, Tile(0, Window(0, 0, 224, 224), 112, 112))
    assert (pixels.rgb[:50, :50] == 9).all()
    assert (pixels.rgb[50:] == FILL).all()
    assert (pixels.rgb[:, 50:] == FILL).all()


def test_colour_tables_are_mixed_as_colours_not_as_numbers(tmp_path) -> None:
    data = np.tile(np.array([0, 2], np.uint8), (1, 64, 32))
    path = write(tmp_path / "a.tif", data)
    with rasterio.open(path, "r+") as out:
        out.write_colormap(1, {0: (0, 0, 0, 255), 1: (0, 255, 0, 255), 2: (200, 0, 0, 255)})
    with open_scene(path) as scene:
        pixels = read_tile(scene, measure_stretch(scene), Tile(0, Window(0, 0, 64, 64), 32, 32))
    assert (np.abs(pixels.rgb.astype(int) - (100, 0, 0)) <= 1).all()


def test_averages_leave_nodata_out(tmp_path) -> None:
    data = np.full((3, 64, 64), 200, np.uint8)
    data[:, :, ::2] = 0
    path = write(tmp_path / "a.tif", data, nodata=0)
    with open_scene(path) as scene:
        pixels = read_tile(scene, AS_IS, Tile(0, Window(0, 0, 64, 64), 32, 32))
    assert (pixels.rgb == 200).all()


def test_the_hash_tells_pixels_and_shape_apart() -> None:
    flat = np.zeros((4, 9, 3), np.uint8)
    assert TilePixels(flat, 1.0).pixels_hash == TilePixels(flat.copy(), 1.0).pixels_hash
    assert TilePixels(flat, 1.0).pixels_hash != TilePixels(flat.reshape(9, 4, 3), 1.0).pixels_hash
    assert TilePixels(flat, 1.0).pixels_hash != TilePixels(flat + np.uint8(1), 1.0).pixels_hash


def test_the_reader_gives_every_tile_in_order_with_the_same_pixels(rgb_file) -> None:
    with open_scene(rgb_file) as scene:
        tiles = plan(scene.grid, None, tile_px=112, overlap_px=28, multiple_px=28).tiles
        with reader_of(scene, AS_IS, tiles) as reader:
            got = list(pairs(reader))
        assert [t for t, _ in got] == list(tiles)
        for tile, pixels in got:
            assert isinstance(pixels, TilePixels)
            assert pixels.pixels_hash == read_tile(scene, AS_IS, tile).pixels_hash


def test_the_reader_pulls_tiles_lazily_and_stops_when_closed(rgb_file) -> None:
    pulled = []

    def endless():
        while True:
            pulled.append(1)
            yield Tile(len(pulled), Window(0, 0, 112, 112), 112, 112)

    with open_scene(rgb_file) as scene:
        before = threading.active_count()
        with reader_of(scene, AS_IS, endless(), ahead=3) as reader:
            results = iter(reader)
            for _ in range(5):
                next(results)
        assert threading.active_count() == before
    assert len(pulled) <= 5 + 3 + 2


def test_a_reader_is_iterated_once_and_may_be_closed_twice(rgb_file) -> None:
    with open_scene(rgb_file) as scene:
        reader = reader_of(scene, AS_IS, [Tile(0, Window(0, 0, 112, 112), 112, 112)])
        assert len(list(reader)) == 1
        with pytest.raises(RuntimeError, match="read once"):
            iter(reader)
        reader.close()
        reader.close()


def test_an_error_in_the_tiles_reaches_who_iterates(rgb_file) -> None:
    def broken():
        yield Tile(0, Window(0, 0, 112, 112), 112, 112)
        raise ZeroDivisionError

    with open_scene(rgb_file) as scene, reader_of(scene, AS_IS, broken()) as reader:
        results = iter(reader)
        with pytest.raises(ZeroDivisionError):
            next(results)


@pytest.mark.parametrize(
    "layout", [{"tiled": True, "blockxsize": 128, "blockysize": 128}, {"blockysize": 16}]
)
def test_a_truncated_file_fails_only_where_it_is_cut(tmp_path, layout) -> None:
    data = np.random.default_rng(0).integers(0, 255, (3, 512, 512), dtype=np.uint8)
    path = write(tmp_path / "a.tif", data, compress="deflate", interleave="pixel", **layout)
    whole = path.read_bytes()
    with rasterio.open(path) as bare:
        last_row = 512 // bare.block_shapes[0][0] // 2
        cut = int(bare.get_tag_item(f"BLOCK_OFFSET_0_{last_row}", "TIFF", bidx=1))
    path.write_bytes(whole[:cut])
    with open_scene(path) as scene:
        tiles = plan(scene.grid, None, tile_px=128 - 16, overlap_px=0, multiple_px=28).tiles
        with reader_of(scene, AS_IS, tiles) as reader:
            got = list(pairs(reader))
    assert len(got) == len(tiles)
    for tile, pixels in got:
        w = tile.window
        if w.y1 <= 256:
            assert isinstance(pixels, TilePixels)
            assert np.array_equal(pixels.rgb, data[:, w.y0 : w.y1, w.x0 : w.x1].transpose(1, 2, 0))
        elif w.y0 >= 256:
            assert isinstance(pixels, ReadError)
            assert "cannot be read (" in str(pixels)
            assert "previous exception" not in str(pixels)


@pytest.mark.parametrize("driver", ["PNG", "JPEG"])
def test_a_truncated_picture_is_a_read_error_where_it_is_cut_and_never_grey_ground(tmp_path, driver) -> None:
    data = np.random.default_rng(0).integers(1, 255, (3, 512, 512), dtype=np.uint8)
    path = write(tmp_path / f"a.{driver.lower()}", data, driver=driver)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with open_scene(path, pixel_space=True) as scene:
        top, bottom = (Tile(i, Window(0, y, 224, 112), 224, 112) for i, y in enumerate((0, 400)))
        with reader_of(scene, AS_IS, [top, bottom]) as reader:
            (_, first), (_, last) = pairs(reader)
    assert isinstance(first, TilePixels)
    assert isinstance(last, ReadError)


def test_a_damaged_block_is_never_shown_as_black(tmp_path) -> None:
    data = np.random.default_rng(0).integers(1, 255, (3, 512, 512), dtype=np.uint8)
    path = write(
        tmp_path / "a.tif",
        data,
        compress="deflate",
        interleave="pixel",
        tiled=True,
        blockxsize=128,
        blockysize=128,
    )
    raw = bytearray(path.read_bytes())
    with rasterio.open(path) as bare:
        start, size = (
            int(bare.get_tag_item(f"BLOCK_{what}_2_2", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE")
        )
    raw[start : start + size] = bytes(size)
    path.write_bytes(bytes(raw))
    with open_scene(path) as scene:
        tiles = plan(scene.grid, None, tile_px=224, overlap_px=112, multiple_px=28).tiles
        with reader_of(scene, AS_IS, tiles) as reader:
            got = list(pairs(reader)) + list(pairs(reader_of(scene, AS_IS, tiles)))
    for tile, pixels in got:
        w = tile.window
        if w.x1 > 256 and w.x0 < 384 and w.y1 > 256 and w.y0 < 384:
            assert isinstance(pixels, ReadError)
        else:
            assert isinstance(pixels, TilePixels)
            assert np.array_equal(pixels.rgb, data[:, w.y0 : w.y1, w.x0 : w.x1].transpose(1, 2, 0))


def test_a_window_outside_the_scene_is_a_read_error(rgb_file) -> None:
    with open_scene(rgb_file) as scene, pytest.raises(ReadError, match="lies outside"):
        read_tile(scene, AS_IS, Tile(0, Window(700, 0, 112, 112), 112, 112))


def test_a_read_too_large_for_memory_is_refused_before_it_is_tried(tmp_path) -> None:
    path = tmp_path / "huge.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=60_000, height=60_000, count=3, dtype="uint8", tiled=True, SPARSE_OK="TRUE",
        **PLACE,
    ):  # fmt: skip
        pass
    with open_scene(path) as scene, pytest.raises(ReadError, match="GiB"):
        read_tile(scene, AS_IS, Tile(0, Window(0, 0, 40_000, 40_000), 40_000, 40_000))


def test_threads_have_handles_of_their_own(rgb_file) -> None:
    with open_scene(rgb_file) as scene:
        mine = scene.dataset()
        assert scene.dataset() is mine
        others = []
        thread = threading.Thread(target=lambda: others.append(scene.dataset()))
        thread.start()
        thread.join()
        assert others[0] is not mine
    assert mine.closed
    assert others[0].closed


def test_the_validity_index_rules_out_only_what_has_no_valid_pixel(tmp_path) -> None:
    data = np.zeros((3, 300, 400), np.uint8)
    data[1, 123, 321] = 5
    with open_scene(write(tmp_path / "a.tif", data, nodata=0)) as scene:
        tile_plan = plan(
            scene.grid, None, tile_px=112, overlap_px=0, multiple_px=28, valid=index_validity(scene)
        )
        shares = [read_tile(scene, AS_IS, t).valid_share for t in tile_plan.skipped]
        seen = [t for t in tile_plan.tiles if read_tile(scene, AS_IS, t).valid_share > 0]
    assert seen
    assert set(shares) == {0.0}


def test_a_huge_sparse_scene_is_planned_and_read_in_bounded_memory(tmp_path) -> None:
    side = 20_000
    path = tmp_path / "sparse.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=3, dtype="uint8", tiled=True, blockxsize=512,
        blockysize=512, compress="deflate", nodata=0, SPARSE_OK="TRUE", **PLACE,
    ) as out:  # fmt: skip
        out.write(np.full((3, 1024, 1024), 77, np.uint8), window=RioWindow(5120, 10_240, 1024, 1024))
    process = psutil.Process()
    before = process.memory_info().rss
    with open_scene(path) as scene:
        stretch = measure_stretch(scene)
        tile_plan = plan(
            scene.grid, None, tile_px=896, overlap_px=128, multiple_px=28, valid=index_validity(scene)
        )
        assert len(tile_plan.skipped) > 10 * len(tile_plan.tiles)
        peak = before
        seen = 0.0
        with reader_of(scene, stretch, tile_plan.tiles + tile_plan.skipped[:60]) as reader:
            for _, pixels in pairs(reader):
                assert isinstance(pixels, TilePixels)
                seen += pixels.valid_share
                peak = max(peak, process.memory_info().rss)
    assert seen > 0
    assert peak - before < 400 * 2**20  # GDAL's cache of 256 MB and a few tiles; the scene is 1.2 GB
