"""Scenes in pieces: whatever the order, the engine reads what was sent, where it was sent."""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from pyproj import CRS

from groundproof.boxes import Window
from groundproof.errors import NotFoundError, NotReadyError, RunError, SceneError, TooLargeError, UsageError
from groundproof.scene import open_scene
from groundproof.service.settings import Limits
from groundproof.service.uploads.arrivals import missing_of
from groundproof.service.uploads.scene_record import RawPixels
from groundproof.service.uploads.scene_spec import SceneSpec, file_name
from groundproof.service.uploads.scenes import SceneStore
from groundproof.validity import index_validity

from .conftest import QUESTION, TOKEN
from .image_files import AFFINE, noise, smooth, write

WIDTH, HEIGHT = 700, 530
SPEC = SceneSpec(
    name="harbour",
    width=WIDTH,
    height=HEIGHT,
    crs="EPSG:32631",
    affine=AFFINE,
    datetime="2026-11-20T11:15:00+01:00",
)
PLACES = list(itertools.product(range(0, WIDTH, 300), range(0, HEIGHT, 200)))


@pytest.fixture
def store(tmp_path: Path) -> SceneStore:
    return SceneStore(tmp_path / "scenes", Limits(), 24)


def cut(pixels: NDArray[Any], x0: int, y0: int, path: Path, **options: Any) -> Path:
    return write(path, pixels[:, y0 : y0 + 200, x0 : x0 + 300], options.pop("driver", "PNG"), **options)


def send_all(store: SceneStore, scene_id: str, pixels: NDArray[Any], folder: Path, places=PLACES) -> None:  # type: ignore[no-untyped-def]
    for x0, y0 in places:
        store.put_window(scene_id, x0, y0, cut(pixels, x0, y0, folder / "window"))


def read_all(path: Path, **options: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    with open_scene(path, **options) as scene:
        raw = scene.read(Window(0, 0, scene.width, scene.height))
        whole = np.ones(raw.values.shape[1:], dtype=bool)
        return raw.values, whole if raw.valid is None else raw.valid


def test_windows_in_any_order_and_again_make_the_scene_that_was_sent(
    store: SceneStore, tmp_path: Path
) -> None:
    pixels = noise(3, HEIGHT, WIDTH)
    scene = store.create(SPEC)
    places = [*PLACES[:-1], *PLACES[:3]]
    random.Random(5).shuffle(places)
    send_all(store, scene.scene_id, pixels, tmp_path, [*places, PLACES[-1]])
    assert store.get(scene.scene_id).finished
    values, valid = read_all(store.path(scene.scene_id))
    assert np.array_equal(values, pixels)
    assert valid.all()
    with open_scene(store.path(scene.scene_id)) as opened:
        assert opened.grid.affine == Affine(*AFFINE)
        assert opened.grid.crs == CRS("EPSG:32631")
        assert (opened.name, opened.datetime) == ("harbour", "2026-11-20T10:15:00Z")
        assert not opened.notes


def test_windows_sent_at_the_same_time_all_arrive(store: SceneStore, tmp_path: Path) -> None:
    pixels = noise(3, HEIGHT, WIDTH)
    scene_id = store.create(SPEC).scene_id
    files = {place: cut(pixels, *place, tmp_path / f"{place}.png") for place in PLACES}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda place: store.put_window(scene_id, *place, files[place]), PLACES))
    assert np.array_equal(read_all(store.path(scene_id))[0], pixels)


def test_a_window_sent_again_with_other_pixels_replaces_the_first(store: SceneStore, tmp_path: Path) -> None:
    before, after = noise(3, HEIGHT, WIDTH), noise(3, HEIGHT, WIDTH, seed=1)
    scene_id = store.create(SPEC).scene_id
    send_all(store, scene_id, before, tmp_path, PLACES[:-1])
    used = store.get(scene_id).bytes
    send_all(store, scene_id, after, tmp_path)
    assert used > 0
    assert np.array_equal(read_all(store.path(scene_id))[0], after)


def test_overlapping_windows_lie_over_each_other_in_the_order_they_came(
    store: SceneStore, tmp_path: Path
) -> None:
    scene_id = store.create(SceneSpec(width=60, height=20, bands=1)).scene_id
    for x0, width, value in ((0, 40, 10), (10, 20, 30), (30, 30, 20)):
        pixels = np.full((1, 20, width), value, dtype=np.uint8)
        store.put_window(scene_id, x0, 0, write(tmp_path / "w.png", pixels, "PNG"))
    row = read_all(store.path(scene_id), pixel_space=True)[0][0, 0]
    assert row.tolist() == [10] * 10 + [30] * 20 + [20] * 30


def test_a_finished_scene_changes_no_more(store: SceneStore, tmp_path: Path) -> None:
    pixels = noise(3, HEIGHT, WIDTH)
    scene_id = store.create(SPEC).scene_id
    send_all(store, scene_id, pixels, tmp_path)
    before = store.path(scene_id).stat()
    store.put_window(
        scene_id, 0, 0, cut(pixels, 0, 0, tmp_path / "w.png")
    )  # the same once more: nothing to do
    with pytest.raises(RunError, match="finished and changes no more"):
        store.put_window(scene_id, 0, 0, cut(pixels[:, ::-1], 0, 0, tmp_path / "w.png"))
    after = store.path(scene_id).stat()
    assert (before.st_size, before.st_mtime_ns, before.st_ino) == (
        after.st_size,
        after.st_mtime_ns,
        after.st_ino,
    )


def test_a_scene_with_pixels_missing_says_how_many_and_where(store: SceneStore, tmp_path: Path) -> None:
    pixels = noise(3, HEIGHT, WIDTH)
    scene_id = store.create(SPEC).scene_id
    with pytest.raises(
        NotReadyError, match="371,000 of 371,000 px have not come, first the 700 x 530 px at 0,0"
    ):
        store.path(scene_id)
    send_all(store, scene_id, pixels, tmp_path, [place for place in PLACES if place != (300, 200)])
    with pytest.raises(
        NotReadyError, match="60,000 of 371,000 px have not come, first the 300 x 200 px at 300,200"
    ):
        store.path(scene_id)
    missing = store.get(scene_id).missing
    assert (missing.pixels, missing.first) == (60_000, Window(300, 200, 300, 200))


def test_pixels_of_a_sparse_scene_that_never_came_are_no_data(store: SceneStore, tmp_path: Path) -> None:
    pixels = np.zeros((3, 4000, 5000), dtype=np.uint8)
    pixels[:, 1000:1200, 2000:2300] = noise(3, 200, 300)
    spec = SceneSpec(**{**SPEC.model_dump(), "width": 5000, "height": 4000, "sparse": True})
    scene_id = store.create(spec).scene_id
    with pytest.raises(NotReadyError):
        store.path(scene_id)
    store.put_window(scene_id, 2000, 1000, cut(pixels, 2000, 1000, tmp_path / "w.png"))
    store.put_window(scene_id, 4700, 3800, cut(pixels, 4700, 3800, tmp_path / "w.png"))  # black, and valid
    path = store.path(scene_id)
    assert path.stat().st_size < 1_000_000
    values, valid = read_all(path)
    expected = np.zeros((4000, 5000), dtype=bool)
    expected[1000:1200, 2000:2300] = expected[3800:4000, 4700:5000] = True
    assert np.array_equal(valid, expected)
    assert np.array_equal(values, pixels)
    with open_scene(path) as scene:
        index = index_validity(scene)
        assert index is not None
        assert index.any_in(np.array([[0, 0, 900, 900], [2000, 1000, 2100, 1100]])).tolist() == [False, True]
    with pytest.raises(RunError):
        store.put_window(scene_id, 0, 0, cut(pixels, 0, 0, tmp_path / "w.png"))
    assert store.get(scene_id).missing.pixels == 4000 * 5000 - 2 * 60_000


def test_alpha_and_nodata_of_windows_are_no_data_of_the_scene(store: SceneStore, tmp_path: Path) -> None:
    scene_id = store.create(SceneSpec(width=40, height=20)).scene_id
    rgba = noise(4, 20, 20)
    rgba[3] = np.where(np.arange(20) < 7, 0, 255)
    store.put_window(scene_id, 0, 0, write(tmp_path / "a.png", rgba, "PNG"))
    rgb = noise(3, 20, 20)
    rgb[:, :5] = 3
    store.put_window(scene_id, 20, 0, write(tmp_path / "b.tif", rgb, "GTiff", nodata=3))
    _, valid = read_all(store.path(scene_id), pixel_space=True)
    expected = np.ones((20, 40), dtype=bool)
    expected[:, :7] = False
    expected[:, 20:] = (rgb != 3).any(axis=0)
    assert np.array_equal(valid, expected)


@pytest.mark.parametrize(("bands", "dtype"), [(1, "uint8"), (4, "uint8"), (16, "uint16"), (3, "uint16")])
def test_scenes_of_other_bands_and_types_come_out_as_they_went_in(
    store: SceneStore, tmp_path: Path, bands: int, dtype: str
) -> None:
    pixels = noise(bands, 70, 90, dtype)
    scene_id = store.create(SceneSpec(width=90, height=70, bands=bands, dtype=dtype)).scene_id
    options = {"photometric": "minisblack", "alpha": "no"}
    store.put_window(scene_id, 0, 0, write(tmp_path / "a.tif", pixels[:, :, :50], "GTiff", **options))
    store.put_window(scene_id, 50, 0, write(tmp_path / "b.tif", pixels[:, :, 50:], "GTiff", **options))
    with rasterio.open(store.path(scene_id)) as file:
        assert np.array_equal(file.read(list(range(1, bands + 1))), pixels)
        assert file.dataset_mask().all()


@pytest.mark.parametrize(("bands", "dtype"), [(3, "uint8"), (4, "uint8"), (3, "uint16")])
def test_raw_pixels_are_taken_row_by_row(store: SceneStore, tmp_path: Path, bands: int, dtype: str) -> None:
    pixels = noise(bands, 600, 700, dtype)
    scene_id = store.create(SceneSpec(width=700, height=600, dtype=dtype)).scene_id
    raw = tmp_path / "raw"
    raw.write_bytes(np.moveaxis(pixels, 0, 2).astype(np.dtype(dtype).newbyteorder("<")).tobytes())
    store.put_window(scene_id, 0, 0, raw, raw=RawPixels(700, 600))
    values, valid = read_all(store.path(scene_id), pixel_space=True)
    assert np.array_equal(values, pixels[:3])
    assert np.array_equal(valid, pixels[3] > 0 if bands == 4 else np.ones((600, 700), dtype=bool))


def test_raw_pixels_of_another_size_are_refused(store: SceneStore, tmp_path: Path) -> None:
    scene_id = store.create(SceneSpec(width=70, height=60)).scene_id
    (tmp_path / "raw").write_bytes(bytes(1000))
    with pytest.raises(UsageError, match="1,000 bytes came for 70 x 60 px; 3 bands of uint8 make 12,600"):
        store.put_window(scene_id, 0, 0, tmp_path / "raw", raw=RawPixels(70, 60))


@pytest.mark.parametrize(("pixels", "place", "sentence"), [
    (noise(3, 20, 30), (680, 0), "reaches outside the scene of 700 x 530 px"),
    (noise(3, 20, 30), (0, 511), "reaches outside"),
    (noise(1, 20, 30), (0, 0), r"1 band of uint8 \(alpha not counted\); the scene was declared with 3 of uint8"),
    (noise(3, 20, 30, "uint16"), (0, 0), "3 bands of uint16"),
])  # fmt: skip
def test_windows_that_do_not_fit_are_refused_in_words(
    store: SceneStore, tmp_path: Path, pixels: NDArray[Any], place: tuple[int, int], sentence: str
) -> None:
    scene_id = store.create(SPEC).scene_id
    with pytest.raises(UsageError, match=sentence):
        store.put_window(scene_id, *place, write(tmp_path / "w.png", pixels, "PNG"))
    assert store.get(scene_id).windows == 0


def moved(x_px: float, y_px: float, scale: float = 1.0) -> tuple[float, ...]:
    return (Affine(*AFFINE) @ Affine.translation(x_px, y_px) @ Affine.scale(scale))[:6]


@pytest.mark.parametrize(("own", "fits"), [
    (moved(300, 200), True), (moved(300.04, 199.96), True), (moved(300.06, 200), False), (moved(300, 201), False),
    (moved(300, 200, 1 + 1e-5), True), (moved(300, 200, 1.001), False), (moved(0, 0), False),
])  # fmt: skip
def test_an_affine_of_a_windows_own_must_lie_on_the_scenes_grid(
    store: SceneStore, tmp_path: Path, own: tuple[float, ...], fits: bool
) -> None:
    scene_id = store.create(SPEC).scene_id
    window = cut(noise(3, HEIGHT, WIDTH), 300, 200, tmp_path / "w.png")
    if fits:
        assert store.put_window(scene_id, 300, 200, window, own).windows == 1
    else:
        with pytest.raises(UsageError, match=r"px away from its place in the scene; at most 0\.05 px"):
            store.put_window(scene_id, 300, 200, window, own)


def test_a_scene_without_an_affine_takes_it_from_its_first_window(store: SceneStore, tmp_path: Path) -> None:
    scene_id = store.create(SceneSpec(**{**SPEC.model_dump(), "affine": None})).scene_id
    window = cut(noise(3, HEIGHT, WIDTH), 300, 200, tmp_path / "w.png")
    store.put_window(scene_id, 300, 200, window, moved(300, 200))
    assert store.get(scene_id).affine == pytest.approx(AFFINE)
    with pytest.raises(UsageError, match="away from its place"):
        store.put_window(scene_id, 0, 0, window, moved(5, 0))


def test_a_geotiff_window_in_another_crs_is_refused(store: SceneStore, tmp_path: Path) -> None:
    scene_id = store.create(SPEC).scene_id
    window = write(tmp_path / "w.tif", noise(3, 10, 10), "GTiff", crs="EPSG:32632", transform=Affine(*AFFINE))
    with pytest.raises(UsageError, match="zone 32N, the scene in WGS 84 / UTM zone 31N"):
        store.put_window(scene_id, 0, 0, window)
    window = write(tmp_path / "w.tif", noise(3, 10, 10), "GTiff", placed=True)
    assert store.put_window(scene_id, 0, 0, window).windows == 1


def test_a_scene_survives_a_restart_half_way(store: SceneStore, tmp_path: Path) -> None:
    pixels = noise(3, HEIGHT, WIDTH)
    scene_id = store.create(SPEC).scene_id
    send_all(store, scene_id, pixels, tmp_path, PLACES[:4])
    (tmp_path / "scenes" / ".incoming" / "half-an-upload").write_bytes(b"x")
    (tmp_path / "scenes" / scene_id / "making.tmp").write_bytes(b"half a scene")
    again = SceneStore(tmp_path / "scenes", Limits(), 24)
    assert again.get(scene_id) == store.get(scene_id)
    assert not list((tmp_path / "scenes" / ".incoming").iterdir())
    send_all(again, scene_id, pixels, tmp_path, PLACES[4:])
    third = SceneStore(tmp_path / "scenes", Limits(), 24)
    assert np.array_equal(read_all(third.path(scene_id))[0], pixels)
    assert third.get(scene_id).windows == len(PLACES)


def test_a_damaged_record_is_named(store: SceneStore, tmp_path: Path) -> None:
    scene_id = store.create(SPEC).scene_id
    (tmp_path / "scenes" / scene_id / "scene.json").write_text("{")
    with pytest.raises(RunError, match=f"{scene_id}/scene.json cannot be read"):
        SceneStore(tmp_path / "scenes", Limits(), 24)


def test_scenes_expire_after_their_last_use_and_never_while_in_use(store: SceneStore, tmp_path: Path) -> None:
    old, used, fresh = (store.create(SPEC).scene_id for _ in range(3))
    long_ago = time.time() - 25 * 3600
    for scene_id in (old, used):
        os.utime(tmp_path / "scenes" / scene_id / "scene.json", (long_ago, long_ago))
    assert store.expire({used}) == [old]
    assert {scene.scene_id for scene in store.all()} == {used, fresh}
    assert not (tmp_path / "scenes" / old).exists()
    with pytest.raises(NotFoundError):
        store.path(old)


def test_asking_about_a_scene_keeps_it(store: SceneStore, tmp_path: Path) -> None:
    scene_id = store.add_image(write(tmp_path / "a.png", noise(3, 10, 10), "PNG"), "a").scene_id
    long_ago = time.time() - 25 * 3600
    os.utime(tmp_path / "scenes" / scene_id / "scene.json", (long_ago, long_ago))
    store.path(scene_id)
    assert store.expire(set()) == []


def test_a_deleted_scene_is_gone_with_its_files(store: SceneStore, tmp_path: Path) -> None:
    scene_id = store.create(SPEC).scene_id
    store.delete(scene_id)
    assert not (tmp_path / "scenes" / scene_id).exists()
    for forbidden in (store.get, store.path, store.delete):
        with pytest.raises(NotFoundError):
            forbidden(scene_id)


@pytest.mark.parametrize("name", ["..", "../../etc/passwd", ".incoming", "", "0" * 32, "\0"])
def test_what_is_no_scenes_id_is_not_found(store: SceneStore, name: str) -> None:
    with pytest.raises(NotFoundError):
        store.path(name)


def test_a_whole_geotiff_becomes_a_scene_where_it_lies(store: SceneStore, tmp_path: Path) -> None:
    pixels = noise(3, 60, 80)
    stored = store.add_image(write(tmp_path / "u.tif", pixels, "GTiff", placed=True), "quay 7")
    assert (stored.finished, stored.has_place, stored.name) == (True, True, "quay 7")
    with open_scene(store.path(stored.scene_id)) as scene:
        assert scene.grid.affine == Affine(*AFFINE)
        assert scene.name == "quay 7"
    assert np.array_equal(read_all(store.path(stored.scene_id))[0], pixels)


def test_what_is_said_of_an_image_goes_before_what_it_says_itself(store: SceneStore, tmp_path: Path) -> None:
    upload = write(tmp_path / "u.tif", noise(3, 60, 80), "GTiff", placed=True)
    other = (1.0, 0.0, 4.0, 0.0, -1.0, 52.0)
    stored = store.add_image(upload, "u", other, "EPSG:3857", "2026-11-20")
    with open_scene(store.path(stored.scene_id)) as scene:
        assert scene.grid.affine == Affine(*other)
        assert scene.grid.crs == CRS("EPSG:3857")
        assert scene.datetime == "2026-11-20T00:00:00Z"


def test_an_image_without_a_place_has_only_pixel_space(store: SceneStore, tmp_path: Path) -> None:
    stored = store.add_image(write(tmp_path / "u.jpg", smooth(3, 60, 80), "JPEG"), "u")
    assert not stored.has_place
    with pytest.raises(SceneError, match="no georeference"):
        open_scene(store.path(stored.scene_id))
    assert read_all(store.path(stored.scene_id), pixel_space=True)[0].shape == (3, 60, 80)


def test_more_than_the_operator_allows_is_refused(tmp_path: Path) -> None:
    store = SceneStore(tmp_path / "scenes", Limits(scene_pixels=1000, stored_bytes=40_000), 24)
    with pytest.raises(TooLargeError, match="700 x 530 = 371,000 px was declared; at most 1,000"):
        store.create(SPEC)
    upload = write(tmp_path / "u.tif", noise(3, 100, 100), "GTiff")
    store.add_image(upload, "u")
    with pytest.raises(TooLargeError, match="Delete one"):
        store.add_image(upload, "u")


@pytest.mark.parametrize(("field", "value", "sentence"), [
    ("crs", "EPSG:999999", "not a coordinate reference system"),
    ("affine", (0, 0, 5, 0, 0, 5), "gives pixels no size"),
    ("affine", (float("nan"), 0, 5, 0, 1, 5), "finite"),
    ("datetime", "yesterday", "cannot be read"),
    ("width", 0, "greater than 0"),
    ("bands", 17, "less than or equal to 16"),
    ("dtype", "float64", "uint8"),
    ("colour", "blue", "Extra inputs"),
])  # fmt: skip
def test_a_declaration_that_cannot_be_carried_out_is_refused(field: str, value: Any, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SceneSpec.model_validate({**SPEC.model_dump(), field: value})


def test_a_crs_that_no_geotiff_can_hold_is_refused_at_once(store: SceneStore) -> None:
    rotated = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=40 +lon_0=10 +type=crs"
    with pytest.raises(UsageError, match="cannot be kept in a GeoTIFF"):
        store.create(SPEC.model_copy(update={"crs": rotated}))


@pytest.mark.parametrize(
    "crs", ["EPSG:28992", "EPSG:7415", "EPSG:4326", "+proj=laea +lat_0=52 +lon_0=4 +type=crs"]
)
def test_the_crs_that_was_declared_is_the_one_the_engine_reads(
    store: SceneStore, tmp_path: Path, crs: str
) -> None:
    spec = SPEC.model_copy(update={"crs": CRS(crs).to_wkt(), "width": 20, "height": 20})
    scene_id = store.create(spec).scene_id
    store.put_window(scene_id, 0, 0, write(tmp_path / "w.png", noise(3, 20, 20), "PNG"))
    with open_scene(store.path(scene_id)) as scene:
        flat = CRS(crs).sub_crs_list[0] if CRS(crs).is_compound else CRS(crs)
        assert scene.grid.crs is not None
        assert scene.grid.crs.equals(flat, ignore_axis_order=True)


RECTANGLES = st.lists(st.tuples(*[st.integers(0, 30)] * 4), max_size=12)


@given(RECTANGLES, st.integers(1, 31), st.integers(1, 31))
@settings(max_examples=100)
def test_what_is_missing_is_what_a_painted_scene_shows(
    rectangles: list[tuple[int, int, int, int]], width: int, height: int
) -> None:
    painted = np.zeros((height, width), dtype=bool)
    windows = []
    for x0, y0, w, h in rectangles:
        if x0 < width and y0 < height:
            window = Window(x0, y0, min(w + 1, width - x0), min(h + 1, height - y0))
            windows.append(window)
            painted[window.y0 : window.y1, window.x0 : window.x1] = True
    missing = missing_of(width, height, windows)
    assert missing.pixels == int((~painted).sum())
    if missing.first is None:
        assert painted.all()
    else:
        first = missing.first
        assert not painted[first.y0 : first.y1, first.x0 : first.x1].any()
        rows, cols = np.nonzero(~painted)
        assert (first.y0, first.x0) == (rows[0], cols[0])


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_any_name_becomes_one_that_a_file_can_have(text: str) -> None:
    name = file_name(text)
    assert name
    assert len(name.encode()) <= 80
    assert not set(name) & set("/\\:\0")
    assert not name.startswith(".")
    assert file_name(name) == name


# Over HTTP


def declare(client: TestClient, **changes: Any) -> str:
    body = {
        "name": "harbour",
        "width": WIDTH,
        "height": HEIGHT,
        "crs": "EPSG:32631",
        "affine": AFFINE,
        **changes,
    }
    reply = client.post("/scenes", json=body)
    assert reply.status_code == 201, reply.text
    assert reply.headers["location"].endswith(f"/scenes/{reply.json()['id']}")
    return str(reply.json()["id"])


def test_a_scene_is_declared_sent_listed_and_deleted_over_http(client: TestClient, tmp_path: Path) -> None:
    pixels = noise(3, HEIGHT, WIDTH)
    scene = declare(client)
    for n, (x0, y0) in enumerate(PLACES, 1):
        body = cut(pixels, x0, y0, tmp_path / "w.png").read_bytes()
        status = client.put(f"/scenes/{scene}/windows/{x0},{y0}", content=body).json()
        assert (status["windows"], status["finished"]) == (n, n == len(PLACES))
    assert client.get(f"/scenes/{scene}").json() == client.get("/scenes").json()["scenes"][0]
    assert client.delete(f"/scenes/{scene}").status_code == 204
    gone = client.get(f"/scenes/{scene}")
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")
    assert scene in gone.json()["detail"]


def test_a_scene_sent_in_pieces_is_answered_like_the_file_it_was_cut_from(
    client: TestClient, squares
) -> None:  # type: ignore[no-untyped-def]
    with rasterio.open(squares.path) as file:
        pixels, affine, crs = file.read(), file.transform, file.crs.to_wkt()
    height, width = pixels.shape[1:]
    scene = declare(client, width=width, height=height, crs=crs, affine=affine[:6], bands=len(pixels))
    for y0 in range(0, height, 200):
        rows = np.ascontiguousarray(np.moveaxis(pixels[:, y0 : y0 + 200], 0, 2))
        url = f"/scenes/{scene}/windows/0,{y0}"
        reply = client.put(url, content=rows.tobytes(), params={"width": width, "height": rows.shape[0]})
        assert reply.status_code == 200, reply.text
    answers = [
        client.post(
            "/ask", json={"question": QUESTION, "scenes": [reference]}, headers={"Accept": "application/json"}
        )
        for reference in ({"id": scene}, {"path": str(squares.path)})
    ]
    assert [reply.status_code for reply in answers] == [200, 200], answers[0].text
    sent, read = ([e["geometry"] for e in reply.json()["evidence"]] for reply in answers)
    assert sent == read
    assert len(sent) == len(squares.boxes)


@pytest.mark.parametrize(("url", "content", "status", "sentence"), [
    ("/scenes/{id}/windows/0,0", b"GIF89a", 422, "GeoTIFF, PNG, JPEG or WEBP"),
    ("/scenes/{id}/windows/0,0", b"", 422, "is nothing"),
    ("/scenes/{id}/windows/0,0?width=5", b"x", 422, "both width and height"),
    ("/scenes/{id}/windows/0,0?affine=1,2,3", b"x", 422, "is not six numbers"),
    ("/scenes/{id}/windows/0,0?affine=1,2,3,2,4,nan", b"x", 422, "GeoTIFF, PNG"),
    ("/scenes/{id}/windows/-1,0", b"x", 422, "x0: got '-1'"),
    ("/scenes/{id}/windows/a,0", b"x", 422, "x0: got 'a'"),
    ("/scenes/0/windows/0,0", b"x", 404, "no scene"),
])  # fmt: skip
def test_bad_uploads_are_problems_in_words(
    client: TestClient, url: str, content: bytes, status: int, sentence: str
) -> None:
    reply = client.put(url.format(id=declare(client)), content=content)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert sentence in json.dumps(reply.json(), ensure_ascii=False)


def test_scenes_need_the_token(client: TestClient) -> None:
    scene = declare(client)
    client.headers.pop("Authorization")
    for method, url in (("GET", "/scenes"), ("POST", "/scenes"), ("PUT", f"/scenes/{scene}/windows/0,0"),
                        ("DELETE", f"/scenes/{scene}")):  # fmt: skip
        assert client.request(method, url).status_code == 401
    assert client.get("/scenes", auth=("anybody", TOKEN)).status_code == 200
