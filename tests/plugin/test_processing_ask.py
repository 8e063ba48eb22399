"""Ask imagery: the same answer as by any other way in, wherever extents, polygons and pixels come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from osgeo import gdal, ogr, osr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsLayerTreeModel,
    QgsMapThemeCollection,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)

from groundproof_qgis.asking.form import AskForm
from groundproof_qgis.control.asking import _question as question_of
from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.imagery.freeze import freeze
from groundproof_qgis.imagery.place import place_of_rectangle
from groundproof_qgis.imagery.what import LayerPixels
from groundproof_qgis.layers.tables import Tables, read_tables
from groundproof_qgis.processing.provider import GroundproofProvider
from groundproof_qgis.tasks.ask import Ask, AskListener
from tests.plugin.engine_waiting import in_worker
from tests.plugin.processing_runs import ANSWER_S, Feedback, desktop, run
from tests.plugin.results import QUESTION, result, scene

UTM = QgsCoordinateReferenceSystem("EPSG:32631")
WGS84 = QgsCoordinateReferenceSystem("EPSG:4326")


@pytest.fixture(scope="module", autouse=True)
def provider(qgis_app) -> Iterator[GroundproofProvider]:
    with desktop() as provider:
        yield provider


@pytest.fixture(autouse=True)
def project() -> Iterator[QgsProject]:
    project = QgsProject.instance()
    yield project
    project.clear()


@pytest.fixture
def part() -> QgsRectangle:
    """The scene's lower left quarter, in its CRS."""
    extent = QgsRasterLayer(str(scene())).extent()
    middle = extent.center()
    return QgsRectangle(extent.xMinimum(), extent.yMinimum(), middle.x(), middle.y())


def asked(tmp_path: Path, **parameters: object) -> tuple[dict, Tables]:
    outputs, feedback, _ = run(
        "ask_imagery", {"QUESTION": QUESTION, "OUTPUT": str(tmp_path / "out.gpkg"), **parameters}
    )
    assert outputs is not None, feedback.errors
    return outputs, read_tables(Path(outputs["FILE"]))


def refused(tmp_path: Path, **parameters: object) -> str:
    outputs, feedback, _ = run(
        "ask_imagery", {"QUESTION": QUESTION, "OUTPUT": str(tmp_path / "out.gpkg"), **parameters}
    )
    assert outputs is None
    return " ".join(feedback.errors)


def boxes(tables: Tables) -> list[tuple]:
    return sorted(
        (row["evidence_id"], row["label"], row["quote"], row["verdict"], tuple(row["box_px"]))
        for row in tables.evidence
    )


def area(tables: Tables) -> QgsGeometry:
    return QgsGeometry.fromWkt(_wkt(tables.answers[0]["geometry"]))


def _wkt(geojson: dict) -> str:
    return ogr.CreateGeometryFromJson(json.dumps(geojson)).ExportToWkt()


def test_a_raster_s_own_pixels_give_what_the_engine_s_command_line_gives(tmp_path: Path) -> None:
    outputs, tables = asked(tmp_path, INPUT=str(scene()))
    other = read_tables(result(tmp_path, "cli.gpkg"))
    assert boxes(tables) == boxes(other)
    assert len(tables.evidence) > 3
    assert outputs["ANSWER"] == other.answers[0]["answer"]
    assert outputs["COUNT"] == other.answers[0]["value"]
    assert outputs["COVERAGE"] == other.answer().coverage_sentence
    assert outputs["OUTPUT"] == f"{outputs['FILE']}|layername=evidence"


def test_a_layer_of_the_project_is_the_same_as_its_file(tmp_path: Path, project: QgsProject) -> None:
    layer = QgsRasterLayer(str(scene()), "field")
    project.addMapLayer(layer)
    _, tables = asked(tmp_path, INPUT=layer.id())
    assert boxes(tables) == boxes(read_tables(result(tmp_path, "cli.gpkg")))
    assert len(project.mapLayers()) == 1


def test_an_extent_in_another_crs_is_asked_about_where_it_is(tmp_path: Path, part: QgsRectangle) -> None:
    to_wgs84 = QgsCoordinateTransform(UTM, WGS84, QgsProject.instance())
    degrees = to_wgs84.transformBoundingBox(part)
    words = f"{degrees.xMinimum()},{degrees.xMaximum()},{degrees.yMinimum()},{degrees.yMaximum()} [EPSG:4326]"
    _, tables = asked(tmp_path, INPUT=str(scene()), EXTENT=words)
    corners = QgsGeometry.fromRect(degrees).densifyByCount(50)
    corners.transform(QgsCoordinateTransform(WGS84, UTM, QgsProject.instance()))
    footprint = QgsGeometry.fromWkt(_wkt(tables.scenes[0]["geometry"]))
    expected = corners.intersection(footprint)
    difference = area(tables).symDifference(expected).area()
    assert difference / expected.area() < 0.01
    assert tables.evidence


def test_an_extent_without_crs_is_in_the_project_s(
    tmp_path: Path, part: QgsRectangle, project: QgsProject
) -> None:
    words = f"{part.xMinimum()},{part.xMaximum()},{part.yMinimum()},{part.yMaximum()}"
    _, alone = asked(tmp_path, INPUT=str(scene()), EXTENT=QgsReferencedRectangle(part, UTM))
    project.setCrs(UTM)
    _, bare = asked(tmp_path, INPUT=str(scene()), EXTENT=words)
    assert boxes(alone) == boxes(bare)
    assert area(alone).equals(area(bare))


def test_the_dock_s_question_about_the_same_place_gives_the_same_boxes(
    tmp_path: Path, part: QgsRectangle, project: QgsProject, provider: GroundproofProvider
) -> None:
    layer = QgsRasterLayer(str(scene()), "field")
    project.addMapLayer(layer)
    form = AskForm(QUESTION, (LayerPixels(layer.id()),))
    frozen = [freeze(form.pixels[0], place_of_rectangle(part, UTM), project)]
    asking = Ask(provider._host.engine.address, tmp_path / "dock.gpkg", AskListener())
    outcome = in_worker(
        lambda: asking.ask(question_of(form, frozen), [one.source for one in frozen]), ANSWER_S
    )
    _, tables = asked(tmp_path, INPUT=layer.id(), EXTENT=QgsReferencedRectangle(part, UTM))
    assert boxes(tables) == boxes(read_tables(outcome.path))
    assert area(tables).equals(area(read_tables(outcome.path)))


def polygons(project: QgsProject, *rectangles: QgsRectangle) -> QgsVectorLayer:
    """In degrees, each with a name."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=parcel:string", "parcels", "memory")
    transform = QgsCoordinateTransform(UTM, WGS84, project)
    for i, rectangle in enumerate(rectangles):
        feature = QgsFeature(layer.fields())
        shape = QgsGeometry.fromRect(rectangle)
        shape.transform(transform)
        feature.setGeometry(shape)
        feature.setAttributes([f"parcel {i + 1}"])
        layer.dataProvider().addFeatures([feature])
    project.addMapLayer(layer)
    return layer


def test_polygons_give_one_answer_or_one_for_each(
    tmp_path: Path, part: QgsRectangle, project: QgsProject
) -> None:
    other = QgsRectangle(
        part.xMaximum(), part.yMaximum(), part.xMaximum() + part.width(), part.yMaximum() + part.height()
    )
    layer = polygons(project, part, other)
    _, one = asked(tmp_path, INPUT=str(scene()), AOI=layer.id())
    assert len(one.answers) == 1
    outputs, each = asked(tmp_path, INPUT=str(scene()), AOI=layer.id(), AOI_FIELD="parcel")
    assert len(each.answers) == 2
    shapes = [QgsGeometry.fromWkt(_wkt(row["geometry"])) for row in each.answers]
    for rectangle in (part, other):
        shares = [
            shape.intersection(QgsGeometry.fromRect(rectangle)).area() / shape.area() for shape in shapes
        ]
        assert sorted(round(share, 2) for share in shares) == [0.0, 1.0]
    assert outputs["COUNT"] == sum(row["value"] for row in each.answers)


def north_up(path: Path, bands: dict[int, int]) -> Path:
    """The scene's pixels, north up. bands: of the file, by band of the scene's."""
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32631)
    source = gdal.Open(str(scene()))
    size = source.RasterXSize, source.RasterYSize
    made = gdal.GetDriverByName("GTiff").Create(str(path), *size, max(bands), gdal.GDT_Byte)
    made.SetGeoTransform((443000.0, 0.5, 0.0, 4100000.0, 0.0, -0.5))
    made.SetProjection(crs.ExportToWkt())
    for number, of in bands.items():
        made.GetRasterBand(number).WriteArray(source.GetRasterBand(of).ReadAsArray())
    made.FlushCache()
    return path


def test_what_is_seen_is_the_project_s_visible_layers_or_a_theme_s(
    tmp_path: Path, project: QgsProject
) -> None:
    path = north_up(tmp_path / "north.tif", {1: 1, 2: 2, 3: 3})
    _, own = asked(tmp_path, INPUT=str(path))
    layer = QgsRasterLayer(str(path), "field")
    project.addMapLayer(layer)
    project.setCrs(UTM)
    extent = QgsReferencedRectangle(layer.extent(), UTM)
    _, tables = asked(tmp_path, EXTENT=extent)
    assert boxes(tables) == boxes(own)  # the same grid, the same colours
    root = project.layerTreeRoot()
    model = QgsLayerTreeModel(root)
    record = QgsMapThemeCollection.createThemeFromCurrentState(root, model)
    project.mapThemeCollection().insert("imagery", record)
    root.findLayer(layer.id()).setItemVisibilityChecked(False)
    assert "Nothing is visible" in refused(tmp_path, EXTENT=extent)
    _, themed = asked(tmp_path, EXTENT=extent, THEME="imagery")
    assert boxes(themed) == boxes(tables)


def test_bands_are_those_that_were_chosen(tmp_path: Path) -> None:
    _, own = asked(tmp_path, INPUT=str(north_up(tmp_path / "rgb.tif", {1: 1, 2: 2, 3: 3})))
    path = north_up(tmp_path / "reversed.tif", {4: 1, 3: 2, 2: 3})
    _, tables = asked(tmp_path, INPUT=str(path), BANDS=[4, 3, 2])
    assert boxes(tables) == boxes(own)
    _, others = asked(tmp_path, INPUT=str(path), BANDS=[1, 1, 1])
    assert boxes(others) != boxes(own)


def test_two_dates_are_one_question_about_change(tmp_path: Path) -> None:
    _, tables = asked(
        tmp_path,
        INPUT=str(scene()),
        LATER=str(scene()),
        QUESTION="What has changed?",
    )
    assert tables.answers[0]["task"] == "change"
    assert len(tables.scenes) == 2


def test_an_earlier_file_is_replaced_by_an_answer_and_kept_by_a_failure(tmp_path: Path) -> None:
    target = tmp_path / "out.gpkg"
    target.write_bytes(b"from before")
    assert "2001 characters" in refused(tmp_path, INPUT=str(scene()), QUESTION="x" * 2001)
    assert "127.0.0.1:9" in refused(tmp_path, INPUT=str(scene()), ENGINE="http://127.0.0.1:9")
    assert target.read_bytes() == b"from before"
    asked(tmp_path, INPUT=str(scene()))
    assert target.read_bytes().startswith(b"SQLite")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.gpkg"]


def test_a_file_that_is_open_elsewhere_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.gpkg").write_bytes(b"open")
    (tmp_path / "out.gpkg-wal").write_bytes(b"open")
    assert "is open in a program" in refused(tmp_path, INPUT=str(scene()))
    assert (tmp_path / "out.gpkg").read_bytes() == b"open"


def test_cancelling_ends_the_job_and_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out.gpkg"
    target.write_bytes(b"from before")
    feedback = Feedback(cancel_at=20.0)
    outputs, feedback, _ = run(
        "ask_imagery", {"QUESTION": QUESTION, "INPUT": str(scene()), "OUTPUT": str(target)}, feedback
    )
    assert outputs is None  # Processing ends a cancelled workflow
    said = " ".join(feedback.errors + feedback.warned)
    assert "Cancelled" in said
    if target.read_bytes() != b"from before":  # some tiles were answered
        assert target.name in said
        assert read_tables(target).answer().coverage_sentence


def test_progress_goes_up_to_the_end(tmp_path: Path) -> None:
    _, feedback, _ = run(
        "ask_imagery",
        {"QUESTION": QUESTION, "INPUT": str(scene()), "OUTPUT": str(tmp_path / "out.gpkg")},
    )
    assert feedback.percent == sorted(feedback.percent)
    assert len(set(feedback.percent)) > 2
    assert any(line.endswith("airplanes") for line in feedback.said)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "Nothing says where to ask"),
        ({"INPUT": "S", "QUESTION": " "}, "The question is empty"),
        ({"INPUT": "S", "THEME": "any"}, "a raster layer and a map theme"),
        ({"LATER": "S", "EXTENT": "0,1,0,1 [EPSG:4326]"}, "no earlier one"),
        ({"INPUT": "S", "EXTENT": "0,1,0,1 [EPSG:32631]"}, "outside the layer"),
        ({"INPUT": "S", "OUTPUT": "O.shp"}, "gpkg"),
        ({"INPUT": "S", "RESOLUTION": 0}, "resolution of 0"),
        ({"INPUT": "S", "BANDS": [9]}, "9"),
        ({"INPUT": "S", "ENGINE": "gpu-box"}, "is not an engine's address"),
        ({"INPUT": "S", "ENGINE": "https://gpu-box.example"}, "nobody has agreed"),
        ({"INPUT": "S", "ENGINE": "http://127.0.0.1:9"}, "127.0.0.1:9"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(
    tmp_path: Path, parameters: dict, expected: str
) -> None:
    given = {
        name: str(scene()) if value == "S" else str(tmp_path / value) if value == "O.shp" else value
        for name, value in parameters.items()
    }
    said = refused(tmp_path, **given)
    assert expected.lower() in said.lower()
    assert "Traceback" not in said
    assert not (tmp_path / "out.gpkg").exists()


def test_consent_given_in_the_dock_counts(tmp_path: Path) -> None:
    address = engine_settings.EngineAddress("https://gpu-box.invalid")
    engine_settings.give_consent(address)
    try:
        assert "nobody has agreed" not in refused(tmp_path, INPUT=str(scene()), ENGINE=address.url)
    finally:
        engine_settings.forget_consents()


@pytest.mark.parametrize("time", ["first", "second"])  # in one QGIS
def test_the_layer_is_loaded_in_the_style_of_its_file(tmp_path: Path, project: QgsProject, time: str) -> None:
    definition = QgsProcessingOutputLayerDefinition(str(tmp_path / "out.gpkg"), project)
    outputs, feedback, context = run(
        "ask_imagery", {"QUESTION": QUESTION, "INPUT": str(scene()), "OUTPUT": definition}
    )
    assert outputs is not None, feedback.errors
    loads = context.layersToLoadOnCompletion()
    assert list(loads) == [outputs["OUTPUT"]]
    layer = QgsProcessingUtils.mapLayerFromString(outputs["OUTPUT"], context)
    loads[outputs["OUTPUT"]].postProcessor().postProcessLayer(layer, context, feedback)
    assert layer.renderer().type() == "categorizedSymbol"
    assert "verdict" in layer.renderer().classAttribute()
    assert layer.customProperty("groundproof/layer") == "evidence"
    assert layer.featureCount() > 3
