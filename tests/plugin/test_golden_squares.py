"""Squares of known colour at known map coordinates are found, by colour, where the affine and CRS sent say they are."""

from __future__ import annotations

import math

import pytest
from tests.plugin.golden_scenes import (
    assembled,
    canvas_of,
    check,
    find,
    layer_of,
    painted,
    read_in_task,
    squares_for,
    srs,
    transformed,
    write,
)
from groundproof_qgis.imagery.freeze import freeze
from groundproof_qgis.imagery.place import place_of_canvas, place_of_layer
from groundproof_qgis.imagery.what import LayerPixels, Seen
from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsProject

SIDE, WIDTH, HEIGHT = 24, 900, 700
CUSTOM = (
    'PROJCS["somewhere oblique",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic_2SP"],'
    'PARAMETER["standard_parallel_1",44],PARAMETER["standard_parallel_2",48],PARAMETER["latitude_of_origin",46],'
    'PARAMETER["central_meridian",9.5],PARAMETER["false_easting",12345],PARAMETER["false_northing",54321],UNIT["metre",1]]'
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
    canvas = canvas_of([layer], crs, extent, rotation, size)
    return canvas


@pytest.fixture(autouse=True)
def empty_project(qgis_new_project):
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:32631"))


def seen(canvas, choice=None):
    frozen = freeze(choice or Seen(), place_of_canvas(canvas), QgsProject.instance(), canvas)
    pixels, alpha = assembled(frozen.source, read_in_task(frozen.source))
    frozen.source.close()
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
    ],
)
def test_what_you_see_lies_where_affine_and_crs_say(tmp_path, name, project_crs, rotation):
    truth = raster(tmp_path, name)
    frozen, pixels, _ = seen(shown(truth[0], project_crs, rotation))
    check(found_in(frozen, pixels, truth), at_least=4)
