"""Places, how they are carried from CRS to CRS, and the local CRS a picture is drawn in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.imagery.carry import carry
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import Grid
from groundproof_qgis.imagery.ground import scale_at, size_m
from groundproof_qgis.imagery.local_crs import local_metric_crs
from groundproof_qgis.imagery.place import (
    place_of_canvas,
    place_of_layer,
    place_of_rectangle,
    place_of_selection,
)
from tests.plugin.golden_scenes import canvas_of

CONTEXT = QgsCoordinateTransformContext()
DEGREES = QgsCoordinateReferenceSystem("EPSG:4326")
MERCATOR = QgsCoordinateReferenceSystem("EPSG:3857")
POLAR = QgsCoordinateReferenceSystem("EPSG:3413")


def crs(code: int) -> QgsCoordinateReferenceSystem:
    return QgsCoordinateReferenceSystem(f"EPSG:{code}")


@pytest.mark.parametrize(
    ("project", "centre", "local"),
    [
        (32631, (500_000, 5_700_000), "EPSG:32631"),
        (2056, (2_683_000, 1_248_000), "EPSG:2056"),
        (28992, (120_000, 487_000), "EPSG:28992"),
        (3857, (0, 0), "EPSG:3857"),  # at the equator its metres are metres
        (3857, (948_000, 6_003_000), "EPSG:32632"),
        (4326, (8.5, 47.4), "EPSG:32632"),
        (4326, (18.4, -33.9), "EPSG:32734"),
        (4326, (179.9, -17.0), "EPSG:32760"),
        (4326, (-180.0, 10.0), "EPSG:32601"),
        (32631, (1_900_000, 5_700_000), "EPSG:32634"),  # far outside its zone a unit is no metre
        (2263, (980_000, 195_000), "EPSG:32618"),  # feet
        (3413, (300_000, -2_000_000), "EPSG:3413"),
    ],
)
def test_the_local_crs_is_the_projects_where_a_unit_is_a_metre_else_utm(project, centre, local):
    assert local_metric_crs(crs(project), centre).authid() == local


@pytest.mark.parametrize("centre", [(15.0, 86.0), (-100.0, -85.5), (0.0, 90.0)])
def test_beyond_utm_the_local_crs_lies_around_the_place(centre):
    local = local_metric_crs(DEGREES, centre)
    assert local.isValid()
    assert "Equal area" in local.description()
    scale = scale_at(local, (10.0, -20.0))
    assert (scale.x_m, scale.y_m, scale.between_deg) == pytest.approx((1, 1, 90), abs=1e-3)


def test_a_metric_crs_of_an_unusual_method_is_not_sent():
    metre = 'UNIT["metre",1]]'
    wgs84 = (
        'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
        'UNIT["degree",0.0174532925199433]]'
    )
    equidistant = (
        f'PROJCS["site",{wgs84},PROJECTION["Azimuthal_Equidistant"],PARAMETER["latitude_of_center",51.77],'
        f'PARAMETER["longitude_of_center",3.03],PARAMETER["false_easting",0],PARAMETER["false_northing",0],{metre}'
    )
    conic = (
        f'PROJCS["region",{wgs84},PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["standard_parallel_1",44],'
        'PARAMETER["standard_parallel_2",48],PARAMETER["latitude_of_origin",46],PARAMETER["central_meridian",9.5],'
        f'PARAMETER["false_easting",0],PARAMETER["false_northing",0],{metre}'
    )
    site, region = (QgsCoordinateReferenceSystem.fromWkt(wkt) for wkt in (equidistant, conic))
    assert local_metric_crs(site, (0, 0)).authid() == "EPSG:32631"
    assert local_metric_crs(region, (0, 0)) == region


def test_a_continent_gets_a_projection_of_its_own():
    assert "Equal area" in local_metric_crs(DEGREES, (10.0, 50.0), reach_m=2e6).description()


@settings(max_examples=60, deadline=None)
@given(st.floats(-179.9, 179.9), st.floats(-89.5, 89.5))
def test_a_unit_of_the_local_crs_is_a_metre_everywhere_on_earth(longitude, latitude):
    local = local_metric_crs(DEGREES, (longitude, latitude))
    place = carry(
        QgsGeometry.fromRect(
            QgsRectangle(longitude - 1e-4, latitude - 1e-4, longitude + 1e-4, latitude + 1e-4)
        ),
        DEGREES,
        local,
        CONTEXT,
    )
    middle = place.boundingBox().center()
    scale = scale_at(local, (middle.x(), middle.y()))
    assert scale.x_m == pytest.approx(1, abs=0.01)
    assert scale.y_m == pytest.approx(1, abs=0.01)
    assert scale.between_deg == pytest.approx(90, abs=0.5)


@settings(max_examples=40, deadline=None)
@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(0.001, 0.2))
def test_ground_size_is_geodesic(longitude, latitude, side):
    grid = Grid(100, 80, (side / 100, 0, longitude, 0, -side / 80, latitude))
    across, down = size_m(grid, DEGREES)
    geod, south, west = Geod(ellps="WGS84"), latitude - side, longitude
    _, _, expected_down = geod.inv(west + side / 2, latitude, west + side / 2, south)
    steps = [(west + side * i / 16, latitude - side / 2) for i in range(17)]
    expected_across = sum(geod.inv(*a, *b)[2] for a, b in zip(steps, steps[1:]))
    assert across == pytest.approx(expected_across, rel=1e-6)
    assert down == pytest.approx(expected_down, rel=1e-6)


def test_mercators_metres_are_measured_on_the_ground():
    scale = scale_at(MERCATOR, (948_000, 6_003_000))
    assert scale.mean_m == pytest.approx(0.677, abs=0.002)


def test_a_long_edge_is_carried_along_its_curve():
    box = QgsGeometry.fromRect(QgsRectangle(0, 50, 20, 55))
    carried = carry(box, DEGREES, crs(32631), CONTEXT)
    assert len(carried.asMultiPolygon()[0][0]) > 60
    back = carry(carried, crs(32631), DEGREES, CONTEXT)
    assert back.symDifference(box).area() < 1e-5 * box.area()  # 2e-2 with straight edges


def test_a_place_over_the_antimeridian_stays_in_one_piece_where_longitudes_may_go_on():
    box = QgsGeometry.fromRect(QgsRectangle(300_000, 8_000_000, 900_000, 8_100_000))
    carried = carry(box, crs(32760), DEGREES, CONTEXT, near_longitude=179.5)
    assert carried.boundingBox().width() < 7
    assert carried.boundingBox().xMaximum() > 180


def test_a_place_torn_by_the_antimeridian_is_a_sentence():
    box = QgsGeometry.fromRect(QgsRectangle(300_000, 8_000_000, 900_000, 8_100_000))
    with pytest.raises(PixelError, match="180 degree meridian"):
        carry(box, crs(32760), MERCATOR, CONTEXT)


def test_a_place_without_coordinates_in_the_other_crs_is_a_sentence():
    with pytest.raises(PixelError, match="lies outside what EPSG:"):
        carry(QgsGeometry.fromRect(QgsRectangle(-10, 80, 10, 95)), DEGREES, MERCATOR, CONTEXT)


def test_a_turned_canvas_is_its_corners_not_its_bounding_box():
    canvas = canvas_of([], 32631, QgsRectangle(500_000, 5_700_000, 500_638, 5_700_478), 30.0)
    place = place_of_canvas(canvas)
    size = canvas.mapSettings().outputSize()
    area = size.width() * size.height() * canvas.mapUnitsPerPixel() ** 2
    assert place.rotation_deg == 30.0
    assert place.polygons.area() == pytest.approx(area)
    assert place.polygons.boundingBox().width() > 638


def test_an_empty_canvas_is_a_sentence():
    with pytest.raises(PixelError, match="canvas is empty"):
        place_of_canvas(QgsMapCanvas())


def test_a_rectangle_without_area_or_crs_is_a_sentence():
    with pytest.raises(PixelError, match="no area"):
        place_of_rectangle(QgsRectangle(1, 1, 1, 5), DEGREES)
    with pytest.raises(PixelError, match="no coordinate reference system"):
        place_of_rectangle(QgsRectangle(1, 1, 2, 5), QgsCoordinateReferenceSystem())


def parcels(*names_and_boxes) -> QgsVectorLayer:
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=name:string", "parcels", "memory")
    features = []
    for name, box in names_and_boxes:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([name])
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(*box)))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.setDisplayExpression("name")
    QgsProject.instance().addMapLayer(layer)
    return layer


def test_selected_polygons_are_parts_with_names_of_their_own(qgis_new_project):
    layer = parcels(
        ("west", (0, 0, 1, 1)), ("east", (2, 0, 3, 1)), ("west", (4, 0, 5, 1)), ("no", (8, 8, 9, 9))
    )
    layer.selectByExpression("name <> 'no'")
    place = place_of_selection(layer)
    assert sorted(name for name, _ in place.parts) == ["east", "west", "west (2)"]
    assert place.polygons.area() == pytest.approx(3)
    layer.selectByExpression("name = 'east'")
    assert place_of_selection(layer).parts == ()


def test_nothing_selected_is_a_sentence(qgis_new_project):
    with pytest.raises(PixelError, match='No polygon is selected in "parcels"'):
        place_of_selection(parcels(("west", (0, 0, 1, 1))))
    with pytest.raises(PixelError, match="holds no polygons"):
        place_of_selection(QgsVectorLayer("Point?crs=EPSG:4326", "points", "memory"))
    with pytest.raises(PixelError, match="no layer with polygons"):
        place_of_selection(None)
    with pytest.raises(PixelError, match="no raster layer"):
        place_of_layer(None)


def fields_of(count: int) -> QgsVectorLayer:
    """Squares of 15 m, 20 m apart, all of them selected."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=name:string", "fields", "memory")
    features = []
    for n in range(count):
        feature = QgsFeature(layer.fields())
        feature["name"] = f"field {n}"
        x, y = 500_000 + 20 * (n % 50), 5_700_000 + 20 * (n // 50)
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(x, y, x + 15, y + 15)))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.setDisplayExpression('"name"')
    layer.selectAll()
    return layer


def test_a_selection_that_did_not_change_is_not_dissolved_again(qgis_new_project, monkeypatch):
    layer = fields_of(20)
    first = place_of_selection(layer)
    monkeypatch.setattr(QgsGeometry, "unaryUnion", None)
    again = place_of_selection(layer)
    assert again.polygons.asWkt() == first.polygons.asWkt()
    assert again.polygons is not first.polygons


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.selectByIds([1, 2]),
        lambda layer: layer.deleteFeature(3),
        lambda layer: layer.changeGeometry(3, QgsGeometry.fromRect(QgsRectangle(0, 0, 9, 9))),
        lambda layer: layer.dataProvider().changeGeometryValues(
            {3: QgsGeometry.fromRect(QgsRectangle(0, 0, 9, 9))}
        ),
    ],
)
def test_every_change_of_a_selection_is_seen(qgis_new_project, change):
    layer = fields_of(5)
    layer.startEditing()
    before = place_of_selection(layer).polygons
    change(layer)
    after = place_of_selection(layer).polygons
    shapes = [feature.geometry() for feature in layer.getSelectedFeatures()]
    assert after.area() == pytest.approx(sum(shape.area() for shape in shapes))
    assert not after.isGeosEqual(before)
    layer.rollBack()
