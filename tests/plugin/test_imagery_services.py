"""Tile services: their own pixels at one zoom level, from a clone of the provider in the worker thread."""

from __future__ import annotations

import threading
import time
from urllib.parse import quote

import numpy as np
import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsNetworkAccessManager,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QEventLoop, QTimer

from groundproof_qgis.imagery import fetching
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.freeze import freeze, preview
from groundproof_qgis.imagery.place import place_of_canvas, place_of_rectangle
from groundproof_qgis.imagery.service_grid import WEB_MERCATOR_EDGE
from groundproof_qgis.imagery.what import LayerPixels, Seen
from tests.plugin.golden_scenes import ReadTask, canvas_of, pixels_of
from tests.plugin.golden_tiles import tile_service

MERCATOR = QgsCoordinateReferenceSystem("EPSG:3857")
HERE = QgsRectangle(948_010.3, 6_002_007.7, 948_910.1, 6_002_809.9)


@pytest.fixture(autouse=True)
def empty_project(qgis_new_project):
    QgsProject.instance().setCrs(MERCATOR)


def tiles(source: str) -> QgsRasterLayer:
    layer = QgsRasterLayer(source, "tiles", "wms")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


@pytest.mark.parametrize(("wanted_m", "level"), [(0.8, 17), (1.7, 16), (0.42, 18), (100.0, 10)])
def test_a_tile_services_pixels_are_those_of_the_nearest_level(wanted_m, level):
    with tile_service() as (source, levels):
        layer = tiles(source)
        frozen = freeze(
            LayerPixels(layer.id(), resolution=wanted_m),
            place_of_rectangle(HERE, MERCATOR),
            QgsProject.instance(),
        )
        pixels, alpha = pixels_of(frozen.source)
    step = 2 * WEB_MERCATOR_EDGE / 256 / 2**level
    a, b, c, d, e, f = frozen.spec.affine
    assert (a, b, d, e) == (pytest.approx(step, rel=1e-12), 0, 0, pytest.approx(-step, rel=1e-12))
    col, row = (c + WEB_MERCATOR_EDGE) / step, (WEB_MERCATOR_EDGE - f) / step
    assert abs(col - round(col)) < 1e-5
    assert abs(row - round(row)) < 1e-5
    cols = (round(col) + np.arange(frozen.spec.width)) % 251
    rows = (round(row) + np.arange(frozen.spec.height)) % 251
    assert set(levels) == {level}
    assert (pixels[..., 2] == 10 * level).all()
    assert (pixels[..., 0] == cols[None, :]).all()
    assert (pixels[..., 1] == rows[:, None]).all()
    assert alpha.min() == 255
    assert frozen.gsd_m == pytest.approx(wanted_m, rel=0.45)


def test_without_a_chosen_resolution_the_canvas_says_the_level():
    with tile_service() as (source, _):
        layer = tiles(source)
        canvas = canvas_of([layer], 3857, HERE)
        place = place_of_canvas(canvas)
        units = canvas.mapSettings().mapUnitsPerPixel()
        found = preview(LayerPixels(layer.id()), place, QgsProject.instance(), canvas)
        assert found.spec.affine[0] == pytest.approx(units, rel=0.42)
        finest = preview(LayerPixels(layer.id()), place, QgsProject.instance())
        assert finest.spec.affine[0] == pytest.approx(2 * WEB_MERCATOR_EDGE / 256 / 2**18)


@pytest.mark.parametrize("pixels", ["seen", "layer"])
def test_a_service_that_does_not_answer_is_a_sentence_and_no_empty_ground(pixels):
    with tile_service(status=500) as (source, _):
        layer = tiles(source)
        canvas = canvas_of([layer], 3857, HERE)
        choice = Seen(resolution_m=1.0) if pixels == "seen" else LayerPixels(layer.id(), resolution=1.0)
        frozen = freeze(choice, place_of_rectangle(HERE, MERCATOR), QgsProject.instance(), canvas)
        with pytest.raises(PixelError, match=r"Imagery from 127.0.0.1 cannot be fetched: HTTP 500"):
            pixels_of(frozen.source)


@pytest.mark.parametrize("pixels", ["seen", "layer"])
def test_a_service_that_says_nothing_is_a_sentence_too(pixels):
    never = threading.Event()
    former = QgsNetworkAccessManager.timeout()
    with tile_service(wait=never) as (source, _):
        layer = tiles(source)
        canvas = canvas_of([layer], 3857, HERE)
        choice = Seen(resolution_m=5.0) if pixels == "seen" else LayerPixels(layer.id(), resolution=5.0)
        frozen = freeze(choice, place_of_rectangle(HERE, MERCATOR), QgsProject.instance(), canvas)
        QgsNetworkAccessManager.setTimeout(300)
        try:
            with pytest.raises(
                PixelError, match=r"Imagery from 127.0.0.1 cannot .*: it did not answer in time"
            ):
                pixels_of(frozen.source)
        finally:
            QgsNetworkAccessManager.setTimeout(former)
            never.set()


def test_a_busy_qgis_is_a_sentence_and_no_empty_ground(monkeypatch):
    monkeypatch.setattr(fetching, "CAUGHT_UP_S", 0.3)
    said: list[str] = []

    def ask_whether_all_came() -> None:
        try:
            replies.catch_up()
        except PixelError as error:
            said.append(str(error))

    with tile_service() as (source, _):
        replies = fetching.TileReplies([tiles(source)])
        reader = threading.Thread(target=ask_whether_all_came)
        reader.start()
        reader.join()  # the thread that would hear of the replies is busy with this
        assert len(said) == 1
        assert "busy" in said[0]
        QgsApplication.processEvents()
        replies.close()


def test_what_other_layers_miss_meanwhile_is_not_this_one_s():
    with tile_service() as (source, levels), tile_service(status=500) as (broken, missed):
        layer, other = tiles(source), tiles(broken.replace("127.0.0.1", "localhost"))
        canvas = canvas_of([other], 3857, HERE)
        frozen = freeze(
            LayerPixels(layer.id(), resolution=1.0),
            place_of_rectangle(HERE, MERCATOR),
            QgsProject.instance(),
        )
        canvas.refresh()
        _, alpha = pixels_of(frozen.source)
        canvas.waitWhileRendering()
    assert levels
    assert missed
    assert alpha.min() == 255


@pytest.mark.parametrize(
    ("address", "host", "is_its"),
    [
        ("https://{switch:a,b}.tiles.example:8443/{z}/{x}/{y}.png?key=1", "a.tiles.example", True),
        ("https://{switch:a,b}.tiles.example/{z}/{x}/{y}.png", "tiles.example.org", False),
        ("http://me:secret@Tiles.example/{z}/{x}/{y}", "tiles.example", True),
        ("http://[::1]:8080/{z}/{x}/{y}", "::1", True),
        ("file:///tiles/{z}/{x}/{y}.png", "", False),
    ],
)
def test_tiles_are_known_by_their_host(address, host, is_its):
    encoded = quote(address, safe=":/")
    layer = QgsRasterLayer(f"type=xyz&url={encoded}&zmin=0&zmax=18", "tiles", "wms")
    replies = fetching.TileReplies([layer])
    assert replies.is_ours(host) is is_its
    replies.close()


def test_tiles_a_service_does_not_have_are_no_data():
    with tile_service(status=404) as (source, _):
        layer = tiles(source)
        frozen = freeze(
            LayerPixels(layer.id(), resolution=1.0),
            place_of_rectangle(HERE, MERCATOR),
            QgsProject.instance(),
        )
        _, alpha = pixels_of(frozen.source)
    assert alpha.max() == 0


@pytest.mark.parametrize("pixels", ["seen", "layer"])
def test_cancelling_does_not_wait_for_the_service(pixels):
    never = threading.Event()
    with tile_service(wait=never) as (source, levels):
        layer = tiles(source)
        canvas = canvas_of([layer], 3857, HERE)
        choice = Seen(resolution_m=1.0) if pixels == "seen" else LayerPixels(layer.id(), resolution=1.0)
        frozen = freeze(choice, place_of_rectangle(HERE, MERCATOR), QgsProject.instance(), canvas)
        task, loop = ReadTask(frozen.source), QEventLoop()
        task.taskTerminated.connect(loop.quit)
        task.taskCompleted.connect(loop.quit)
        QgsApplication.taskManager().addTask(task)

        cancelled: list[float] = []

        def cancel_when_it_waits() -> None:
            if levels and not cancelled:
                cancelled.append(time.monotonic())
                task.cancel()

        timer = QTimer()
        timer.timeout.connect(cancel_when_it_waits)
        timer.start(50)
        QTimer.singleShot(60_000, loop.quit)
        loop.exec()
        timer.stop()
        took = time.monotonic() - cancelled[0] if cancelled else None
        never.set()
        task.source = None
        frozen.source.close()
        assert levels
        assert task.got == []
        assert took is not None
        assert took < 10  # the service would have answered after 20


def test_what_you_see_of_a_tile_service_lies_where_the_affine_says():
    with tile_service() as (source, _):
        layer = tiles(source)
        canvas = canvas_of([layer], 3857, HERE)
        frozen = freeze(
            Seen(resolution_m=0.8), place_of_rectangle(HERE, MERCATOR), QgsProject.instance(), canvas
        )
        pixels, _ = pixels_of(frozen.source)
    from tests.plugin.golden_scenes import srs, transformed

    level = round(float(np.median(pixels[..., 2])) / 10)
    step = 2 * WEB_MERCATOR_EDGE / 256 / 2**level
    rows, cols = np.mgrid[40 : frozen.spec.height - 40 : 60, 40 : frozen.spec.width - 40 : 60]
    a, b, c, d, e, f = frozen.spec.affine
    at_cols, at_rows = cols.ravel() + 0.5, rows.ravel() + 0.5
    places = zip(a * at_cols + b * at_rows + c, d * at_cols + e * at_rows + f)
    truth = np.array(transformed(list(places), srs(frozen.spec.crs_wkt), srs(3857)))
    tile_cols = np.floor((truth[:, 0] + WEB_MERCATOR_EDGE) / step) % 251
    tile_rows = np.floor((WEB_MERCATOR_EDGE - truth[:, 1]) / step) % 251
    got = pixels[rows.ravel(), cols.ravel()].astype(float)
    off = np.stack([(got[:, 0] - tile_cols + 125) % 251 - 125, (got[:, 1] - tile_rows + 125) % 251 - 125])
    assert np.abs(np.median(off, axis=1)).max() <= 0.5
    assert (np.abs(off) <= 1).mean() > 0.97
