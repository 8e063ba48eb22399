"""Opening scenes: what is accepted, what is refused and in which words, what pixels mean."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Geod, Transformer
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC

from groundproof.boxes import Tile, Window
from groundproof.errors import SceneError, UsageError
from groundproof.reading import read_tile
from groundproof.scene import open_scene, parse_datetime
from groundproof.stretch import FILL, measure_stretch

NORTH_UP = Affine(0.5, 0, 500_000, 0, -0.5, 5_600_000)
UTM = "EPSG:32631"


def write(
    path: Path, data: np.ndarray, *, colours=None, table=None, mask=None, nodata=None, **profile
) -> Path:
    data = data if data.ndim == 3 else data[None]
    profile = {"crs": UTM, "transform": NORTH_UP, **profile}
    profile = {k: v for k, v in profile.items() if v is not None}
    height, width = data.shape[1:]
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=len(data), dtype=data.dtype, nodata=nodata,
        **profile,
    ) as out:  # fmt: skip
        out.write(data)
        if colours:
            out.colorinterp = colours
        if table:
            out.write_colormap(1, table)
        if mask is not None:
            with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
                out.write_mask(mask)
    return path


def rgb(path: Path, **options) -> tuple[np.ndarray, float]:
    """The whole of a small scene as one tile of its own size."""
    with open_scene(path, **options) as scene:
        tile = Tile(0, Window(0, 0, scene.width, scene.height), scene.width, scene.height)
        pixels = read_tile(scene, measure_stretch(scene), tile)
    return pixels.rgb, pixels.valid_share


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 255, (3, 40, 50), dtype=np.uint8)


# name: (bands shown, CRS; None where the file spells one out without a code).
# Every file of the collection opens; none is refused.
REAL = {
    "DeepForest__2018_SJER_3_252000_4107000_image_477.tif": ((1, 2, 3), "EPSG:32611"),
    "DeepForest__OSBS_029.tif": ((1, 2, 3), "EPSG:32617"),
    "DeepForest__test_tiled.tif": ((1, 2, 3), "EPSG:28992"),
    "QGIS-Training-Data__3420B_2010_328_RGB_LATLNG.tif": ((1, 2, 3), "EPSG:4326"),
    "RFSR__950_20S.tif": ((1, 2, 3), "EPSG:4326"),
    "data__m_4709963_se_14_1_20120731.tif": ((1, 2, 3), "EPSG:26914"),
    "data__m_4709963_se_14_1_20200831.tif": ((1, 2, 3), "EPSG:26914"),
    "detectree__ref-img.tif": ((1, 2, 3), "EPSG:2056"),
    "label-maker__drone.tif": ((1, 2, 3), "EPSG:32632"),
    "qgis-plugin-deepness__dummy_fotomap_small.tif": ((1, 2, 3), "EPSG:32633"),
    "qgis-plugin-deepness__oils.tif": ((1, 2, 3), "EPSG:3857"),
    "rasterio__RGB.byte.tif": ((1, 2, 3), "EPSG:32618"),
    "rio-cogeo__image_2000px.tif": ((1, 2, 3), "EPSG:4326"),
    "rio-cogeo__image_geos.tif": ((1, 2, 3), None),
    "rio-tiler__cog_cmap.tif": ((1,), "EPSG:3857"),
    "rio-tiler__cog_dateline.tif": ((1,), "EPSG:32660"),
    "rio-tiler__cog_gcps.tif": ((1,), "EPSG:4326"),
    "rio-tiler__pix4d_alpha_nodata.tif": ((1, 2, 3), "EPSG:32750"),
    "solaris__pan1.tif": ((1,), "EPSG:32631"),
    "solaris__sample_geotiff.tif": ((1,), "EPSG:32616"),
    "test-data__umbra_mount_yasur.tiff": ((1,), "EPSG:32759"),
    "titiler__above_cog.tif": ((1, 2, 3), None),
}


@pytest.mark.parametrize("name", sorted(REAL))
def test_every_real_raster_opens_where_gdal_says_it_lies(data_dir: Path, name: str) -> None:
    shown, crs = REAL[name]
    path = data_dir / "rasters" / name
    with rasterio.open(path) as bare, open_scene(path) as scene:
        assert (scene.width, scene.height) == (bare.width, bare.height)
        assert scene.bands.indexes == shown
        assert crs is None or CRS.from_user_input(crs).equals(scene.grid.crs, ignore_axis_order=True)
        if bare.gcps[0]:
            assert len(scene.grid.gcps) == len(bare.gcps[0])
            assert any("ground control points" in note and "px" in note for note in scene.notes)
        else:
            assert tuple(scene.grid.affine) == tuple(bare.transform)
        assert scene.gsd_m is not None
        assert scene.gsd_m > 0
        window = Window(bare.width // 3, bare.height // 3, 56, 56)
        pixels = read_tile(scene, measure_stretch(scene), Tile(0, window, 56, 56))
        assert pixels.rgb.shape == (56, 56, 3)


def test_the_collection_and_the_table_name_the_same_rasters(data_dir: Path) -> None:
    assert {p.name for p in (data_dir / "rasters").glob("*.tif*")} == set(REAL)


@pytest.mark.parametrize("transform", [
    NORTH_UP,
    Affine(0.5, 0, 500_000, 0, 0.5, 5_600_000),
    Affine.translation(500_000, 5_600_000) @ Affine.rotation(20) @ Affine.scale(0.5, -0.5),
    Affine.translation(500_000, 5_600_000) @ Affine.shear(10, 0) @ Affine.scale(0.7, -0.3),
])  # fmt: skip
def test_gsd_is_geodesic_and_affines_are_kept_as_they_are(tmp_path, noise, transform) -> None:
    path = write(tmp_path / "a.tif", noise, transform=transform)
    with open_scene(path) as scene:
        assert scene.grid.affine == transform
        to_lonlat = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)
        corners = [transform @ p for p in ((24.5, 19.5), (25.5, 19.5), (25.5, 20.5), (24.5, 20.5))]
        lonlat = [to_lonlat.transform(*p) for p in corners]
        area, _ = Geod(ellps="WGS84").polygon_area_perimeter(*zip(*lonlat, strict=True))
        assert scene.gsd_m == pytest.approx(abs(area) ** 0.5, rel=1e-4)


def test_web_mercator_metres_are_not_ground_metres(tmp_path, noise) -> None:
    at_52_degrees = Affine(1, 0, 500_000, 0, -1, 6_800_000)
    path = write(tmp_path / "a.tif", noise, crs="EPSG:3857", transform=at_52_degrees)
    with open_scene(path) as scene:
        assert scene.gsd_m == pytest.approx(np.cos(np.radians(51.96)), rel=0.01)


def test_a_scene_without_georeference_is_refused_and_told_what_to_do(tmp_path, noise) -> None:
    path = write(tmp_path / "harbour.tif", noise, crs=None, transform=None)
    with pytest.raises(SceneError, match=r"harbour.tif has no georeference.*--scene-crs.*--pixel-space"):
        open_scene(path)
    with open_scene(path, pixel_space=True) as scene:
        assert scene.grid.is_pixel_space
        assert scene.gsd_m is None


def test_a_transform_without_crs_needs_scene_crs(tmp_path, noise) -> None:
    path = write(tmp_path / "harbour.tif", noise, crs=None)
    with pytest.raises(SceneError, match=r"harbour.tif has a place but no coordinate reference system"):
        open_scene(path)
    with open_scene(path, scene_crs=UTM) as scene:
        assert scene.grid.crs == CRS(UTM)
        assert scene.grid.affine == NORTH_UP


def test_a_crs_without_transform_is_no_georeference(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise, transform=None)
    with pytest.raises(SceneError, match=r"names EPSG:32631 but has no transform.*world file.*--pixel-space"):
        open_scene(path)


def test_scene_crs_alone_does_not_place_an_image(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise, crs=None, transform=None)
    with pytest.raises(
        SceneError, match=r"no transform, so --scene-crs EPSG:32631 does not say where.*world file"
    ):
        open_scene(path, scene_crs=UTM)


def test_scene_crs_replaces_the_files_own_and_says_so(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise)
    with open_scene(path, scene_crs="EPSG:32632") as scene:
        assert scene.grid.crs == CRS("EPSG:32632")
        assert any("EPSG:32631" in note and "EPSG:32632" in note for note in scene.notes)
    with open_scene(path, scene_crs=UTM) as scene:
        assert scene.notes == ()


def test_an_unknown_scene_crs_and_contradicting_options_are_usage_errors(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise)
    with pytest.raises(UsageError, match="EPSG:999999"):
        open_scene(path, scene_crs="EPSG:999999")
    with pytest.raises(UsageError, match="contradict"):
        open_scene(path, scene_crs=UTM, pixel_space=True)


def test_pixel_space_sets_a_real_georeference_aside_with_a_note(tmp_path, noise) -> None:
    with open_scene(write(tmp_path / "a.tif", noise), pixel_space=True) as scene:
        assert scene.grid.is_pixel_space
        assert any("not used" in note for note in scene.notes)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_pictures_take_their_place_from_a_world_file(tmp_path, noise, suffix) -> None:
    path = tmp_path / f"a.{suffix}"
    with rasterio.open(
        path, "w", driver={"png": "PNG", "jpg": "JPEG"}[suffix], width=50, height=40, count=3, dtype="uint8"
    ) as out:
        out.write(noise)
    with pytest.raises(SceneError, match="no georeference"):
        open_scene(path)
    world = tmp_path / f"a.{'pgw' if suffix == 'png' else 'jgw'}"
    world.write_text("0.5\n0\n0\n-0.5\n500000.25\n5599999.75\n")
    with open_scene(path, scene_crs=UTM) as scene:
        assert scene.grid.affine.almost_equals(NORTH_UP)


def test_ground_control_points_are_kept_and_their_residual_is_reported(tmp_path, noise) -> None:
    points = [GroundControlPoint(r, c, *(NORTH_UP @ (c, r))) for c in (0, 50) for r in (0, 40)]
    path = write(tmp_path / "a.tif", noise, transform=None, crs=None, gcps=None)
    with rasterio.open(path, "r+") as out:
        out.gcps = (points, rasterio.CRS.from_epsg(32631))
    with open_scene(path) as scene:
        assert len(scene.grid.gcps) == 4
        assert scene.grid.affine is None
        assert any("4 ground control points" in note for note in scene.notes)
        assert scene.gsd_m == pytest.approx(0.5, rel=1e-3)


def test_too_few_control_points_are_refused(tmp_path, noise) -> None:
    points = [GroundControlPoint(r, r, *(NORTH_UP @ (r, r))) for r in (0, 10, 20, 40)]
    path = write(tmp_path / "a.tif", noise, transform=None, crs=None)
    with rasterio.open(path, "r+") as out:
        out.gcps = (points, rasterio.CRS.from_epsg(32631))
    with pytest.raises(SceneError, match="4 ground control points that do not span"):
        open_scene(path)


def test_a_scene_with_rpc_only_is_refused_with_the_remedy(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise, transform=None, crs=None)
    with rasterio.open(path, "r+") as out:
        out.rpcs = RPC(
            height_off=0, height_scale=500, lat_off=50, lat_scale=0.1, line_off=20, line_scale=20, long_off=3,
            long_scale=0.1, samp_off=25, samp_scale=25, line_num_coeff=[0.0] * 20, line_den_coeff=[1.0] + [0.0] * 19,
            samp_num_coeff=[0.0] * 20, samp_den_coeff=[1.0] + [0.0] * 19,
        )  # fmt: skip
    with pytest.raises(SceneError, match=r"RPC only.*gdalwarp -rpc"):
        open_scene(path)


def test_of_a_compound_crs_the_horizontal_part_is_used(tmp_path, noise) -> None:
    with open_scene(write(tmp_path / "a.tif", noise, crs="EPSG:32631+5773")) as scene:
        assert scene.grid.crs is not None
        assert scene.grid.crs.equals(CRS(UTM), ignore_axis_order=True)
        assert any("Heights" in note for note in scene.notes)


def test_missing_empty_folder_and_text_files_are_refused_in_one_sentence_each(tmp_path) -> None:
    text = tmp_path / "text.tif"
    text.write_text("this is no raster\n" * 10)
    empty = tmp_path / "empty.tif"
    empty.touch()
    for path, words in (
        (tmp_path / "none.tif", "is not there"),
        (tmp_path, "is a folder"),
        (text, "text.tif cannot be opened as a raster"),
        (empty, "empty.tif is an empty file"),
    ):
        with pytest.raises(SceneError, match=words) as caught:
            open_scene(path)
        assert "\n" not in str(caught.value)


def test_a_file_cut_inside_its_header_is_refused(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise)
    path.write_bytes(path.read_bytes()[:6])
    with pytest.raises(SceneError, match="cannot be opened as a raster"):
        open_scene(path)


def test_a_container_without_bands_of_its_own_names_what_is_inside(tmp_path, noise) -> None:
    path = tmp_path / "two.gpkg"
    for table, more in (("first", {}), ("second", {"APPEND_SUBDATASET": "YES"})):
        with rasterio.open(
            path, "w", driver="GPKG", width=50, height=40, count=3, dtype="uint8", crs=UTM, transform=NORTH_UP,
            RASTER_TABLE=table, **more,
        ) as out:  # fmt: skip
            out.write(noise)
    with pytest.raises(SceneError, match=r"two.gpkg has no raster bands.*2 rasters inside.*first") as caught:
        open_scene(path)
    inside = str(caught.value).split("for example ")[1].split(". Give")[0]
    with open_scene(inside) as scene:
        assert (scene.width, scene.height) == (50, 40)


def test_a_vrt_without_bands_is_refused(tmp_path) -> None:
    path = tmp_path / "none.vrt"
    path.write_text('<VRTDataset rasterXSize="10" rasterYSize="10"></VRTDataset>')
    with pytest.raises(SceneError, match=r"none.vrt cannot be opened as a raster.*bands"):
        open_scene(path)


def test_one_pixel_is_a_scene(tmp_path) -> None:
    pixels, share = rgb(write(tmp_path / "a.tif", np.full((3, 1, 1), 7, np.uint8)))
    assert (pixels == 7).all()
    assert share == 1.0


def test_rgb_bytes_are_shown_as_they_are(tmp_path, noise) -> None:
    pixels, share = rgb(write(tmp_path / "a.tif", noise))
    assert np.array_equal(pixels, noise.transpose(1, 2, 0))
    assert share == 1.0


def test_bgr_nir_order_follows_colour_interpretation(tmp_path, noise) -> None:
    data = np.concatenate([noise, noise[:1]])
    colours = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    pixels, _ = rgb(write(tmp_path / "a.tif", data, colours=colours, photometric="MINISBLACK"))
    assert np.array_equal(pixels, noise[::-1].transpose(1, 2, 0))


def test_bands_without_meaning_are_taken_in_order_with_a_note_and_can_be_chosen(tmp_path, noise) -> None:
    data = np.concatenate([noise, noise[:2]])
    path = write(tmp_path / "a.tif", data, photometric="MINISBLACK")
    with open_scene(path) as scene:
        assert scene.bands.indexes == (1, 2, 3)
        assert any("--bands" in note for note in scene.notes)
    pixels, _ = rgb(path, bands=(5, 3, 1))
    assert np.array_equal(pixels, data[[4, 2, 0]].transpose(1, 2, 0))


@pytest.mark.parametrize("bands", [(1, 2), (0, 1, 2), (1, 2, 9), ()])
def test_bands_that_do_not_fit_are_usage_errors(tmp_path, noise, bands) -> None:
    with pytest.raises(UsageError, match="--bands"):
        open_scene(write(tmp_path / "a.tif", noise), bands=bands)


def test_colour_tables_are_expanded(tmp_path) -> None:
    data = np.random.default_rng(0).integers(0, 3, (20, 30), dtype=np.uint8)
    table = {0: (10, 20, 30, 255), 1: (200, 0, 0, 255), 2: (0, 0, 250, 255)}
    pixels, _ = rgb(write(tmp_path / "a.tif", data, table=table))
    assert np.array_equal(pixels, np.array([table[i][:3] for i in range(3)], np.uint8)[data])


def test_alpha_nodata_and_internal_masks_are_composited_on_one_grey(tmp_path, noise) -> None:
    invalid = np.zeros((40, 50), dtype=bool)
    invalid[5:15, 10:20] = True
    expected = noise.transpose(1, 2, 0).copy()
    expected[invalid] = FILL
    share = 1 - invalid.mean()
    alpha = np.where(invalid, 0, 255).astype(np.uint8)
    with_alpha = write(
        tmp_path / "alpha.tif", np.concatenate([noise, alpha[None]]),
        colours=[ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha],
    )  # fmt: skip
    with_nodata = write(tmp_path / "nodata.tif", np.where(invalid, 0, noise).astype(np.uint8), nodata=0)
    with_mask = write(tmp_path / "mask.tif", noise, mask=~invalid)
    for path in (with_alpha, with_nodata, with_mask):
        pixels, valid_share = rgb(path)
        assert np.array_equal(pixels, expected), path.name
        assert valid_share == pytest.approx(share), path.name


def test_a_pixel_is_valid_when_any_shown_band_holds_a_value(tmp_path) -> None:
    data = np.full((3, 4, 4), 0, np.uint8)
    data[1, 1, 1] = 9
    path = write(tmp_path / "a.tif", data, nodata=0)
    _, share = rgb(path)
    with rasterio.open(path) as bare:
        assert share == (bare.dataset_mask() > 0).mean()


def test_gray_with_alpha_is_one_band_with_a_mask(tmp_path) -> None:
    data = np.stack([np.arange(200).reshape(10, 20), np.full((10, 20), 255)]).astype(np.uint8)
    data[1, 0, 0] = 0
    pixels, share = rgb(write(tmp_path / "a.tif", data, alpha="YES"))
    assert share == 199 / 200
    assert (pixels[0, 0] == FILL).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_a_scene_of_nodata_only_opens_and_is_all_grey(tmp_path) -> None:
    pixels, share = rgb(write(tmp_path / "a.tif", np.zeros((30, 30), np.uint16), nodata=0))
    assert share == 0.0
    assert (pixels == FILL).all()


def test_content_identity_follows_the_file(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise)
    with open_scene(path) as one, open_scene(path) as same:
        assert one.content_id == same.content_id
    write(path, noise[:, ::-1])
    os.utime(path, ns=(1, 1))
    with open_scene(path) as other:
        assert other.content_id != one.content_id


def test_a_scene_travels_between_processes_by_its_path(tmp_path, noise) -> None:
    with open_scene(write(tmp_path / "a.tif", noise)) as scene:
        tile = Tile(0, Window(0, 0, 50, 40), 50, 40)
        here = read_tile(scene, measure_stretch(scene), tile)
        with pickle.loads(pickle.dumps(scene)) as copy:  # noqa: S301 - our own bytes
            there = read_tile(copy, measure_stretch(copy), tile)
    assert here.pixels_hash == there.pixels_hash


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018:07:16 06:06:23", "2018-07-16T06:06:23Z"),
        ("2020-01-02T03:04:05.5Z", "2020-01-02T03:04:05.500000Z"),
        ("2020-01-02 23:30:00+02:00", "2020-01-02T21:30:00Z"),
        ("2020-01-02", "2020-01-02T00:00:00Z"),
        ("0000:00:00 00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_become_rfc_3339_or_nothing(text, expected) -> None:
    assert parse_datetime(text) == expected


def test_the_acquisition_time_is_read_from_the_file(tmp_path, noise) -> None:
    path = write(tmp_path / "a.tif", noise)
    with rasterio.open(path, "r+") as out:
        out.update_tags(TIFFTAG_DATETIME="2022:09:04 15:46:03")
    with open_scene(path) as scene:
        assert scene.datetime == "2022-09-04T15:46:03Z"


class RangeHandler(http.server.SimpleHTTPRequestHandler):
    """A file server that answers byte ranges, as object stores do."""

    def send_head(self):
        path = Path(self.translate_path(self.path))
        wanted = self.headers.get("Range", "")
        if not wanted or not path.is_file():
            return super().send_head()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        data = path.read_bytes()
        end = min(int(last or len(data) - 1), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end - int(first) + 1))
        self.send_header("ETag", '"v1"')
        self.end_headers()
        self.wfile.write(data[int(first) : end + 1])
        return None

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path):
    handler = functools.partial(RangeHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    with contextlib.suppress(RuntimeError):
        thread.join()


def test_a_url_reads_like_a_file_and_has_a_content_identity(tmp_path, noise, web) -> None:
    write(tmp_path / "a.tif", noise, tiled=True, blockxsize=16, blockysize=16, compress="deflate")
    url = f"{web}/a.tif"
    pixels, _ = rgb(url)
    assert np.array_equal(pixels, noise.transpose(1, 2, 0))
    with open_scene(url) as one, open_scene(url) as two:
        assert one.name == "a"
        assert one.content_id == two.content_id
        assert one.content_id.startswith(str((tmp_path / "a.tif").stat().st_size))


def test_a_url_with_nothing_behind_it_is_refused(web) -> None:
    with pytest.raises(SceneError, match=r"none.tif cannot be opened"):
        open_scene(f"{web}/none.tif?signature=secret")
