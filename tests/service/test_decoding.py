"""Uploads are decoded apart: what comes out is what went in, and what goes wrong stays there."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp

from groundproof.boxes import Window
from groundproof.errors import GroundproofError, SceneError, TooLargeError
from groundproof.scene import open_scene
from groundproof.service.settings import Limits
from groundproof.service.uploads import decoding
from groundproof.service.uploads.decoding import decode

from . import image_files
from .image_files import AFFINE, noise, smooth, write

SMALL = Limits(image_pixels=1_000_000, decode_seconds=20)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "clean.tif"


def server_processes() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if any("decode_child" in part for part in child.cmdline())]


@pytest.mark.parametrize("name", [
    "tiff-strips", "tiff-bands-apart", "tiff-tiles", "tiff-big", "tiff-lzw", "tiff-deflate", "tiff-jpeg",
    "tiff-float", "tiff-alpha", "tiff-nodata", "png", "png-alpha", "png-16", "png-grey", "jpeg", "jpeg-grey",
    "jpeg-progressive", "webp", "webp-lossy",
])  # fmt: skip
def test_every_accepted_format_comes_out_with_its_pixels_and_its_mask(
    tmp_path: Path, out: Path, name: str
) -> None:
    source = image_files.samples(tmp_path)[name]
    found = decode(source, out, SMALL)
    with rasterio.open(source) as before, rasterio.open(out, driver="GTiff") as after:
        measured = [i for i, role in enumerate(before.colorinterp, 1) if role != ColorInterp.alpha]
        assert (found.width, found.height, found.bands) == (before.width, before.height, len(measured))
        assert np.array_equal(after.read(measured), before.read(measured))
        assert np.array_equal(after.dataset_mask() > 0, before.dataset_mask() > 0)
        assert after.dtypes[0] == before.dtypes[0] == found.dtype
        assert after.crs == before.crs
        assert after.transform == before.transform
        assert list(after.colorinterp)[: len(measured)] == [before.colorinterp[i - 1] for i in measured]


def test_colour_tables_are_expanded_and_their_transparency_becomes_no_data(tmp_path: Path, out: Path) -> None:
    colours = np.array([[10, 20, 30, 255], [40, 50, 60, 255], [70, 80, 90, 0]], dtype=np.uint8)
    indices = np.random.default_rng(2).integers(0, 3, (20, 30), dtype=np.uint8)
    decode(image_files.palette_png(tmp_path / "p.png", indices, colours), out, SMALL)
    with rasterio.open(out) as after:
        assert np.array_equal(np.moveaxis(after.read(), 0, 2), colours[indices])


def test_nodata_is_no_data_for_the_engine(tmp_path: Path, out: Path) -> None:
    pixels = noise(3, 40, 50, "uint16")
    pixels[:, 5:20, 10:30] = 9
    decode(write(tmp_path / "n.tif", pixels, "GTiff", placed=True, nodata=9), out, SMALL)
    with open_scene(out) as scene:
        raw = scene.read(Window(0, 0, 50, 40))
        assert raw.valid is not None
        assert np.array_equal(raw.valid, (pixels != 9).any(axis=0))


def test_floating_point_imagery_keeps_its_mask_inside(tmp_path: Path, out: Path) -> None:
    pixels = np.random.default_rng(0).normal(size=(1, 40, 50)).astype("float32")
    pixels[0, :10] = -9999
    decode(write(tmp_path / "f.tif", pixels, "GTiff", placed=True, nodata=-9999), out, SMALL)
    with open_scene(out) as scene:
        raw = scene.read(Window(0, 0, 50, 40))
        assert raw.valid is not None
        assert np.array_equal(raw.valid, pixels[0] != -9999)
        assert np.array_equal(raw.values[:, raw.valid], pixels[:, raw.valid])


def test_control_points_and_the_date_are_kept(tmp_path: Path, out: Path) -> None:
    points = [
        GroundControlPoint(row=r, col=c, x=5e5 + c, y=5e6 - r)
        for r, c in ((0, 0), (0, 40), (30, 0), (30, 40))
    ]
    source = write(tmp_path / "g.tif", noise(3, 30, 40), "GTiff")
    with rasterio.open(source, "r+") as file:
        file.gcps = (points, rasterio.crs.CRS.from_epsg(32631))
        file.update_tags(TIFFTAG_DATETIME="2026:11:20 10:15:00")
    found = decode(source, out, SMALL)
    assert (found.affine, found.gcps, found.datetime) == (None, 4, "2026-11-20T10:15:00Z")
    with rasterio.open(out) as after:
        assert [(p.row, p.col, p.x, p.y) for p in after.gcps[0]] == [(p.row, p.col, p.x, p.y) for p in points]


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("empty", b"", "nothing"),
    ("vrt", b"<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>", "begins with 3c 56"),
    ("gif", b"GIF89a\1\0\1\0\0\0\0", "begins with 47 49"),
    ("zip", b"PK\3\4" + bytes(30), "begins with 50 4b"),
])  # fmt: skip
def test_other_formats_are_refused_by_their_first_bytes(
    tmp_path: Path, out: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / f"{name}.tif"
    path.write_bytes(content)
    with pytest.raises(SceneError, match=sentence):
        decode(path, out, SMALL)
    assert not out.exists()


@pytest.mark.parametrize("make", [image_files.huge_png, image_files.huge_tiff])
def test_a_small_file_that_is_a_huge_image_is_refused_by_its_header(tmp_path: Path, out: Path, make) -> None:  # type: ignore[no-untyped-def]
    path = make(tmp_path / "bomb", 200_000, 200_000)
    assert path.stat().st_size < 2_000_000
    with pytest.raises(TooLargeError, match=r"200,000 x 200,000"):
        decode(path, out, SMALL)


def test_truncated_files_are_refused_and_never_read_as_grey_imagery(tmp_path: Path, out: Path) -> None:
    for name, path in image_files.samples(tmp_path, side=96).items():
        whole = path.read_bytes()
        cut = tmp_path / f"cut-{path.name}"
        cut.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(SceneError):
            print(name, decode(cut, out, SMALL))


def test_a_decoder_that_runs_out_of_time_is_ended_and_the_next_file_is_decoded(
    tmp_path: Path, out: Path
) -> None:
    large = write(tmp_path / "large.tif", noise(3, 3000, 3000), "GTiff", compress="deflate")
    with pytest.raises(SceneError, match=r"within 0\.3 s"):
        decode(large, out, Limits(decode_seconds=0.3))
    assert not out.exists()
    small = write(tmp_path / "small.png", noise(3, 10, 10), "PNG")
    assert decode(small, out, SMALL).width == 10


def test_a_decoder_that_runs_out_of_memory_is_ended_and_the_next_file_is_decoded(
    tmp_path: Path, out: Path
) -> None:
    large = write(tmp_path / "large.tif", noise(3, 3000, 3000), "GTiff", compress="deflate", blockysize=3000)
    with pytest.raises(SceneError, match=r"MiB of memory|cannot be decoded"):
        decode(large, out, Limits(decode_bytes=190 << 20))
    small = write(tmp_path / "small.png", noise(3, 10, 10), "PNG")
    assert decode(small, out, SMALL).width == 10


def test_a_decoding_server_that_was_killed_is_started_again(tmp_path: Path, out: Path) -> None:
    path = write(tmp_path / "a.png", noise(3, 10, 10), "PNG")
    decode(path, out, SMALL)
    (server,) = server_processes()
    server.kill()
    server.wait(10)
    assert decode(path, out, SMALL).width == 10


def test_a_decoder_killed_in_the_middle_is_an_error_of_that_upload(tmp_path: Path, out: Path) -> None:
    large = write(tmp_path / "large.tif", noise(3, 5000, 5000), "GTiff", compress="deflate")
    decode(write(tmp_path / "a.png", noise(3, 10, 10), "PNG"), out, SMALL)
    (server,) = server_processes()

    def kill() -> None:
        while not (children := server.children()):
            time.sleep(0.002)
        for child in children:
            os.kill(child.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(SceneError, match="ended its decoder"):
        decode(large, out, Limits())
    thread.join()


def test_uploads_are_decoded_at_the_same_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", noise(3, 100, 100), "GTiff")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: decode(path, tmp_path / f"out{n}.tif", SMALL), range(24)))
    assert {(one.width, one.height) for one in found} == {(100, 100)}


def test_the_decoder_gets_no_secret_and_no_driver_that_opens_other_files(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDPROOF_TOKEN", "secret-of-the-service")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-cloud")
    decoding._server.kill()
    decode(write(tmp_path / "a.png", noise(3, 10, 10), "PNG"), out, SMALL)
    (server,) = server_processes()
    given = server.environ()
    assert not any("secret" in value for value in given.values())
    assert {"VRT", "WMS", "HTTP", "GTI", "HDF5"} <= set(given["GDAL_SKIP"].split(","))
    assert {"GTiff", "PNG", "JPEG", "WEBP"}.isdisjoint(given["GDAL_SKIP"].split(","))
    decoding._server.kill()


def test_files_planted_beside_an_upload_are_not_read(tmp_path: Path, out: Path) -> None:
    path = write(tmp_path / "a.png", noise(3, 10, 12), "PNG")
    (tmp_path / "a.pgw").write_text("2\n0\n0\n-2\n100\n200\n")
    (tmp_path / "a.wld").write_text("2\n0\n0\n-2\n100\n200\n")
    (tmp_path / "a.png.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:32631</SRS><GeoTransform>1,2,0,3,0,-2</GeoTransform></PAMDataset>"
    )
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False),
        rasterio.open(
            tmp_path / "b", "w", driver="GTiff", width=12, height=10, count=3, dtype="uint8"
        ) as other,
    ):
        other.write_mask(np.zeros((10, 12), dtype=np.uint8))
    (tmp_path / "b.msk").rename(tmp_path / "a.png.msk")
    with rasterio.open(path) as tempted:
        assert tempted.transform != Affine.identity()
        assert not tempted.dataset_mask().any()
    found = decode(path, out, SMALL)
    assert (found.affine, found.crs) == (None, None)
    with rasterio.open(out) as after:
        assert after.dataset_mask().all()


def test_a_tiff_whose_metadata_names_another_file_brings_nothing_of_it(tmp_path: Path, out: Path) -> None:
    secret = write(tmp_path / "secret.tif", np.full((3, 8, 8), 200, dtype=np.uint8), "GTiff")
    path = write(tmp_path / "a.tif", np.full((3, 16, 16), 50, dtype=np.uint8), "GTiff", placed=True)
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(secret))
        file.update_tags(ns="GEOLOCATION", X_DATASET=str(secret), Y_DATASET=str(secret))
        file.update_tags(note=str(secret))
    with rasterio.open(path) as tempted:
        assert tempted.read(1, out_shape=(8, 8)).max() == 200, "the trap works where nobody looks out"
    decode(path, out, SMALL)
    with rasterio.open(out) as after:
        assert after.read(1, out_shape=(8, 8)).max() == 50
        assert str(secret) not in str([after.tags(ns=ns) for ns in (None, *after.tag_namespaces())])


def test_what_is_placed_by_the_file_is_said(tmp_path: Path, out: Path) -> None:
    found = decode(write(tmp_path / "a.tif", noise(3, 10, 12), "GTiff", placed=True), out, SMALL)
    assert found.affine == pytest.approx(AFFINE)
    assert rasterio.crs.CRS.from_wkt(str(found.crs)).to_epsg() == 32631


def test_seventeen_bands_and_complex_numbers_are_refused_in_words(tmp_path: Path, out: Path) -> None:
    with pytest.raises(SceneError, match="17 bands; at most 16"):
        decode(
            write(tmp_path / "a.tif", noise(17, 10, 12), "GTiff", photometric="minisblack", alpha="no"),
            out,
            SMALL,
        )
    with pytest.raises(SceneError, match="complex"):
        decode(write(tmp_path / "b.tif", noise(1, 10, 12).astype("complex64"), "GTiff"), out, SMALL)


def test_lossy_images_come_out_as_gdal_decodes_them(tmp_path: Path, out: Path) -> None:
    source = write(tmp_path / "a.webp", smooth(3, 60, 80), "WEBP", quality=50)
    decode(source, out, SMALL)
    with rasterio.open(source) as before, rasterio.open(out) as after:
        assert np.array_equal(before.read(), after.read([1, 2, 3]))
        assert issubclass(SceneError, GroundproofError)
