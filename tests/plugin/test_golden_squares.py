"""Squares of known colour at known map coordinates are found, by colour, where the affine and CRS sent say they are."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsProject

from groundproof_qgis.imagery.freeze import freeze, preview
from groundproof_qgis.imagery.place import place_of_canvas, place_of_layer
from groundproof_qgis.imagery.what import LayerPixels, Seen
from tests.plugin.golden_scenes import (
    COLOURS,
    Square,
    canvas_of,
    check,
    find,
    layer_of,
    painted,
    pixels_of,
    squares_for,
    srs,
    write,
)

ROOT = Path(__file__).resolve().parents[2]
SIDE, WIDTH, HEIGHT = 24, 900, 700
CUSTOM = (
    'PROJCS["somewhere oblique",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic_2SP"],'
    'PARAMETER["standard_parallel_1",44],PARAMETER["standard_parallel_2",48],PARAMETER["latitude_of_origin",46],'
    'PARAMETER["central_meridian",9.5],PARAMETER["false_easting",12345],PARAMETER["false_northing",54321],UNIT["metre",1]]'
)

OBLIQUE = (
    'PROJCS["local site grid",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Azimuthal_Equidistant"],'
    'PARAMETER["latitude_of_center",51.77],PARAMETER["longitude_of_center",3.03],PARAMETER["false_easting",5000],'
    'PARAMETER["false_northing",5000],UNIT["metre",1]]'
)

# (name, CRS of the raster, its upper left corner, pixel size in its units, clockwise turn in degrees)
RASTERS = {
    "utm north": (32631, (502_000.0, 5_736_000.0), 0.5, 0),
    "utm south": (32733, (261_500.0, 6_243_000.0), 0.5, 0),
    "degrees": (4326, (8.52, 47.39), 6e-6, 0),
    "mercator": (3857, (948_000.0, 6_003_000.0), 0.8, 0),
    "swiss": (2056, (2_683_000.0, 1_248_000.0), 0.25, 0),
    "dutch": (28992, (120_000.0, 487_000.0), 0.25, 0),
    "custom": (CUSTOM, (30_000.0, 80_000.0), 0.5, 0),
    "north cape": (32633, (520_000.0, 9_200_000.0), 1.0, 0),
    "turned": (32631, (502_000.0, 5_736_000.0), 0.5, 17),
}


def geotransform(corner, size, turn):
    angle = math.radians(turn)
    cos, sin = size * math.cos(angle), size * math.sin(angle)
    return (corner[0], cos, -sin if turn else 0.0, corner[1], -sin if turn else 0.0, -cos)


def raster(tmp_path, name, width=WIDTH, height=HEIGHT, side=SIDE):
    """(layer in the project, its squares, function to map coordinates, its CRS)."""
    code, corner, size, turn = RASTERS[name]
    numbers = geotransform(corner, size, turn)
    squares = squares_for(width, height, side)
    crs = srs(code)
    path = write(tmp_path / "squares.tif", painted(width, height, squares), crs.ExportToWkt(), numbers)
    layer = layer_of(path)
    QgsProject.instance().addMapLayer(layer)

    def to_map(col, row):
        g = numbers
        return g[0] + col * g[1] + row * g[2], g[3] + col * g[4] + row * g[5]

    return layer, squares, to_map, crs


def shown(layer, crs, rotation=0.0, size=(640, 480), zoom=1.0):
    """A canvas around the layer's middle; zoom: pixels of the layer's width for one of the canvas's."""
    if not isinstance(crs, QgsCoordinateReferenceSystem):
        crs = QgsCoordinateReferenceSystem(f"EPSG:{crs}")
    change = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance())
    extent = change.transformBoundingBox(layer.extent())
    extent.scale(zoom * 1.1)
    return canvas_of([layer], crs, extent, rotation, size)


@pytest.fixture(autouse=True)
def empty_project(qgis_new_project):
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:32631"))


def seen(canvas, choice=None):
    frozen = freeze(choice or Seen(), place_of_canvas(canvas), QgsProject.instance(), canvas)
    pixels, alpha = pixels_of(frozen.source)
    return frozen, pixels, alpha


def found_in(frozen, pixels, truth):
    _, squares, to_map, crs = truth
    return find(pixels, frozen.spec, squares, to_map, crs)


@pytest.mark.parametrize("rotation", [0, 30, 90])
@pytest.mark.parametrize(
    ("name", "project_crs"),
    [
        ("utm north", 32631),
        ("utm north", 3857),
        ("utm north", 4326),
        ("utm south", 32733),
        ("utm south", 4326),
        ("swiss", 2056),
        ("dutch", 28992),
        ("degrees", 4326),
        ("mercator", 3857),
        ("north cape", 4326),
        ("turned", 32631),
        ("turned", 3857),
        ("custom", None),
        ("utm north", None),
    ],
)
def test_what_you_see_lies_where_affine_and_crs_say(tmp_path, name, project_crs, rotation):
    truth = raster(tmp_path, name)
    crs = QgsCoordinateReferenceSystem.fromWkt(CUSTOM) if project_crs is None else project_crs
    if project_crs is None and name != "custom":
        crs = QgsCoordinateReferenceSystem.fromWkt(OBLIQUE)
    frozen, pixels, _ = seen(shown(truth[0], crs, rotation))
    check(found_in(frozen, pixels, truth), at_least=4)


def test_a_picture_at_native_resolution_is_the_raster_itself(tmp_path):
    layer, squares, *_ = raster(tmp_path, "utm north")
    frozen, pixels, alpha = seen(shown(layer, 32631, zoom=0.4))
    a, _, c, _, e, f = frozen.spec.affine
    col, row = round((c - 502_000.0) / a), round((f - 5_736_000.0) / e)
    truth = painted(WIDTH, HEIGHT, squares)[:, row : row + frozen.spec.height, col : col + frozen.spec.width]
    assert (pixels == np.moveaxis(truth, 0, 2)).all()
    assert alpha.min() == 255
    assert frozen.gsd_m == pytest.approx(0.5, rel=0.001)
    assert "native" in frozen.resolution


@pytest.mark.parametrize(("crs", "rotation"), [(3857, 0), (32631, 30)])
def test_windows_meet_exactly(tmp_path, crs, rotation):
    truth = raster(tmp_path, "utm north", 2500, 1300, side=40)
    frozen, pixels, _ = seen(shown(truth[0], crs, rotation, zoom=0.9), Seen(resolution_m=0.55))
    assert frozen.spec.width > 2048
    assert frozen.spec.height > 1024
    check(found_in(frozen, pixels, truth), at_least=3)


def test_squares_over_a_seam_are_whole(tmp_path):
    squares = [
        Square(at - 15, row, 40, colour) for at, row, colour in zip((1024, 2048), (1010, 2040), COLOURS)
    ]
    wkt = srs(32631).ExportToWkt()
    path = write(tmp_path / "seam.tif", painted(2600, 2400, squares), wkt, (5e5, 1, 0, 5.7e6, 0, -1))
    layer = layer_of(path)
    QgsProject.instance().addMapLayer(layer)
    canvas = shown(layer, 32631)
    frozen, pixels, _ = seen(canvas, Seen(resolution_m=0.9))
    check(find(pixels, frozen.spec, squares, lambda c, r: (5e5 + c, 5.7e6 - r), srs(32631)), at_least=2)
    own = freeze(LayerPixels(layer.id()), place_of_layer(layer), QgsProject.instance())
    own_pixels, _ = pixels_of(own.source)
    assert (own_pixels == np.moveaxis(painted(2600, 2400, squares), 0, 2)).all()


@pytest.mark.parametrize("styled", [False, True])
@pytest.mark.parametrize("name", list(RASTERS))
@pytest.mark.parametrize("coarser", [1, 2.3])
def test_a_layers_own_pixels_lie_where_affine_and_crs_say(tmp_path, name, styled, coarser):
    truth = raster(tmp_path, name)
    project = QgsProject.instance()
    native = preview(LayerPixels(truth[0].id(), styled=styled), place_of_layer(truth[0]), project)
    choice = LayerPixels(
        truth[0].id(), resolution=None if coarser == 1 else native.gsd_m * coarser, styled=styled
    )
    frozen = freeze(choice, place_of_layer(truth[0]), project)
    pixels, _ = pixels_of(frozen.source)
    check(found_in(frozen, pixels, truth), at_least=6)
    if coarser == 1 and name != "turned":
        assert (pixels == np.moveaxis(painted(WIDTH, HEIGHT, truth[1]), 0, 2)).all()
    assert frozen.area is None


def test_a_south_up_raster_keeps_its_own_grid(tmp_path):
    squares = squares_for(WIDTH, HEIGHT, SIDE)
    numbers = (5e5, 0.5, 0, 5.7e6, 0, 0.5)
    path = write(tmp_path / "up.tif", painted(WIDTH, HEIGHT, squares), srs(32631).ExportToWkt(), numbers)
    layer = layer_of(path)
    QgsProject.instance().addMapLayer(layer)
    frozen = freeze(LayerPixels(layer.id()), place_of_layer(layer), QgsProject.instance())
    pixels, _ = pixels_of(frozen.source)
    assert frozen.spec.affine == (0.5, 0.0, 5e5, 0.0, 0.5, 5.7e6)
    check(find(pixels, frozen.spec, squares, lambda c, r: (5e5 + c / 2, 5.7e6 + r / 2), srs(32631)), 6)


def test_a_raster_placed_by_control_points_is_laid_out(tmp_path):
    squares = squares_for(WIDTH, HEIGHT, SIDE)

    def to_map(col, row):
        return 5e5 + 0.5 * col + 0.1 * row, 5.7e6 + 0.1 * col - 0.5 * row

    gcps = [
        gdal.GCP(*to_map(col, row), 0.0, col, row)
        for col in (0, WIDTH // 2, WIDTH)
        for row in (0, HEIGHT // 2, HEIGHT)
    ]
    path = write(tmp_path / "gcps.tif", painted(WIDTH, HEIGHT, squares), srs(32631).ExportToWkt(), gcps=gcps)
    layer = layer_of(path)
    QgsProject.instance().addMapLayer(layer)
    frozen = freeze(LayerPixels(layer.id()), place_of_layer(layer), QgsProject.instance())
    pixels, alpha = pixels_of(frozen.source)
    check(find(pixels, frozen.spec, squares, to_map, srs(32631)), at_least=6)
    assert "9 control points" in frozen.notes[0]
    assert alpha.min() == 0  # the corners beside it are no data
    seen_, picture, _ = seen(shown(layer, 32631))
    check(find(picture, seen_.spec, squares, to_map, srs(32631)), at_least=6)


@pytest.mark.parametrize("rotation", ["0", "30", "90"])
def test_a_canvas_of_device_pixel_ratio_2(tmp_path, rotation):
    code = (
        "import sys, os, pathlib; sys.path[:0] = sys.argv[3:5]\n"
        "os._exit(__import__('tests.plugin.golden_hidpi').plugin.golden_hidpi.main(*sys.argv[1:3]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), rotation, str(ROOT), str(ROOT / "plugin")],
        env={**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "device pixel ratio 2" in done.stdout
