"""One stretch per scene: percentiles of valid pixels, shared by all tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
from affine import Affine

from groundproof.boxes import Tile, Window
from groundproof.errors import SceneError
from groundproof.reading import read_tile
from groundproof.scene import Scene, open_scene
from groundproof.stretch import FILL, Stretch, measure_stretch

if TYPE_CHECKING:
    from pathlib import Path

PLACE = {"crs": "EPSG:32631", "transform": Affine(0.5, 0, 500_000, 0, -0.5, 5_600_000)}


def write(path: Path, data: np.ndarray, **profile) -> Path:
    data = data if data.ndim == 3 else data[None]
    with rasterio.open(
        path, "w", driver="GTiff", width=data.shape[2], height=data.shape[1], count=len(data), dtype=data.dtype,
        **{**PLACE, **profile},
    ) as out:  # fmt: skip
        out.write(data)
    return path


def shown(scene: Scene, stretch: Stretch, window: Window | None = None) -> np.ndarray:
    window = window or Window(0, 0, scene.width, scene.height)
    return read_tile(scene, stretch, Tile(0, window, window.width, window.height)).rgb


def expected(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.floor(np.clip((values.astype(float) - low) / (high - low), 0, 1) * 255 + 0.5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32", "float64"])
def test_limits_are_the_2nd_and_98th_percentile_of_each_scene(tmp_path, dtype) -> None:
    values = np.random.default_rng(0).normal(120, 30, (200, 300)).clip(0, 255).astype(dtype)
    with open_scene(write(tmp_path / "a.tif", values)) as scene:
        stretch = measure_stretch(scene)
        assert stretch.limits is not None
        assert stretch.limits[0] == pytest.approx(np.percentile(values, (2, 98)), rel=1e-6)
        rgb = shown(scene, stretch)
    assert np.abs(rgb[..., 0] - expected(values, *stretch.limits[0])).max() <= 1
    assert (rgb[..., 0] == rgb[..., 1]).all()
    assert (rgb[..., 0] == rgb[..., 2]).all()


def test_each_band_of_16_bit_colours_has_its_own_limits(tmp_path) -> None:
    rng = np.random.default_rng(0)
    values = np.stack([rng.normal(m, m / 10, (80, 90)) for m in (400, 900, 3000)]).astype(np.uint16)
    with open_scene(write(tmp_path / "a.tif", values)) as scene:
        limits = measure_stretch(scene).limits
    assert limits is not None
    for band, pair in zip(values, limits, strict=True):
        assert pair == pytest.approx(np.percentile(band, (2, 98)), rel=1e-6)


def test_all_tiles_share_one_stretch(tmp_path) -> None:
    values = np.zeros((100, 200), np.uint16)
    values[:, :100] = np.random.default_rng(0).integers(100, 200, (100, 100))
    values[:, 100:] = np.random.default_rng(1).integers(5000, 9000, (100, 100))
    with open_scene(write(tmp_path / "a.tif", values)) as scene:
        stretch = measure_stretch(scene)
        whole = shown(scene, stretch)
        part = shown(scene, stretch, Window(30, 20, 60, 50))
    assert np.array_equal(part, whole[20:70, 30:90])


def test_nodata_and_nan_are_not_measured_and_shown_grey(tmp_path) -> None:
    values = np.random.default_rng(0).normal(0, 1, (100, 100)).astype(np.float32)
    values[:50] = np.nan
    values[60:70] = -9999
    good = values[np.isfinite(values) & (values != -9999)]
    with open_scene(write(tmp_path / "a.tif", values, nodata=-9999)) as scene:
        stretch = measure_stretch(scene)
        rgb = shown(scene, stretch)
    assert stretch.limits is not None
    assert stretch.limits[0] == pytest.approx(np.percentile(good, (2, 98)), rel=1e-5)
    assert (rgb[:50] == FILL).all()
    assert (rgb[60:70] == FILL).all()


def test_nodata_written_as_a_double_matches_float32_pixels(tmp_path) -> None:
    values = np.full((20, 20), -3.4028234663852886e38, np.float32)
    values[:5] = 1.0
    values[5] = 2.0
    with open_scene(write(tmp_path / "a.tif", values, nodata=-3.4028234663852886e38)) as scene:
        assert measure_stretch(scene).sampled_px == 6 * 20


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_an_even_scene_is_mid_grey_not_noise(tmp_path, value) -> None:
    with open_scene(write(tmp_path / "a.tif", np.full((30, 30), value, np.uint16))) as scene:
        rgb = shown(scene, measure_stretch(scene))
    assert np.ptp(rgb) == 0
    assert 100 < rgb[0, 0, 0] < 156


def test_few_bright_targets_on_even_ground_stay_visible(tmp_path) -> None:
    values = np.zeros((300, 300), np.uint16)
    values[10:14, 10:14] = 900
    with open_scene(write(tmp_path / "a.tif", values)) as scene:
        rgb = shown(scene, measure_stretch(scene))
    assert rgb[11, 11, 0] == 255
    assert rgb[0, 0, 0] == 0


def test_complex_numbers_are_shown_by_magnitude(tmp_path) -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(0, 1, (40, 40)) + 1j * rng.normal(0, 1, (40, 40))).astype(np.complex64)
    with open_scene(write(tmp_path / "a.tif", values)) as scene:
        stretch = measure_stretch(scene)
    assert stretch.limits is not None
    assert stretch.limits[0] == pytest.approx(np.percentile(np.abs(values), (2, 98)), rel=1e-5)


@pytest.mark.parametrize("layout", [{"tiled": True, "blockxsize": 256, "blockysize": 256}, {"blockysize": 8}])
def test_large_scenes_are_sampled_close_to_their_true_percentiles(tmp_path, layout) -> None:
    side = 4608  # beyond what is read as a whole
    ramp = np.linspace(0, 20_000, side).astype(np.uint16)
    values = (ramp[:, None] // 2 + ramp[None] // 2).astype(np.uint16)
    with open_scene(write(tmp_path / "a.tif", values, compress="deflate", **layout)) as scene:
        stretch = measure_stretch(scene)
    assert stretch.limits is not None
    assert stretch.sampled_px < side * side / 8
    assert stretch.limits[0] == pytest.approx(np.percentile(values, (2, 98)), abs=600)


def test_a_scene_mostly_of_nodata_is_sampled_until_its_pixels_are_found(tmp_path) -> None:
    values = np.zeros((4608, 4608), np.uint16)
    values[2300:2700, 1000:1400] = np.random.default_rng(0).integers(500, 600, (400, 400))
    path = write(tmp_path / "a.tif", values, nodata=0, tiled=True, compress="deflate")
    with open_scene(path) as scene:
        stretch = measure_stretch(scene)
    assert stretch.limits is not None
    assert stretch.limits[0] == pytest.approx((502, 597), abs=3)


def test_overviews_are_used(tmp_path) -> None:
    values = np.random.default_rng(0).integers(100, 200, (3000, 3000)).astype(np.uint16)
    path = write(tmp_path / "a.tif", values, tiled=True)
    with rasterio.open(path, "r+") as out:
        out.build_overviews([2, 4])
    with open_scene(path) as scene:
        stretch = measure_stretch(scene)
    assert stretch.limits is not None
    assert stretch.limits[0] == pytest.approx((102, 197), abs=3)


def test_a_scene_of_which_nothing_can_be_read_is_refused(tmp_path) -> None:
    values = np.random.default_rng(0).integers(0, 60_000, (400, 400)).astype(np.uint16)
    path = write(tmp_path / "a.tif", values, compress="deflate", tiled=True)
    data = bytearray(path.read_bytes())
    with rasterio.open(path) as bare:
        start = min(
            int(bare.get_tag_item(f"BLOCK_OFFSET_{i}_{j}", "TIFF", bidx=1)) for i in (0, 1) for j in (0, 1)
        )
    data[start:] = b"\x00" * (len(data) - start)
    path.write_bytes(bytes(data))
    with open_scene(path) as scene, pytest.raises(SceneError, match="none of its pixels can be read"):
        measure_stretch(scene)
