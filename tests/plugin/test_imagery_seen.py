"""What the map shows: its layers without ours, drawn in a worker thread from copies."""

from __future__ import annotations

import time

import numpy as np
import pytest
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsMapThemeCollection,
    QgsPalLayerSettings,
    QgsProject,
    QgsRasterMinMaxOrigin,
    QgsRectangle,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor

from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.freeze import freeze, preview
from groundproof_qgis.imagery.place import place_of_canvas, place_of_rectangle
from groundproof_qgis.imagery.what import Seen
from tests.plugin.golden_scenes import canvas_of, layer_of, pixels_of, srs, write

UTM = QgsCoordinateReferenceSystem("EPSG:32631")
EXTENT = QgsRectangle(500_000, 5_699_880, 500_160, 5_700_000)
RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (90, 90, 90)


@pytest.fixture(autouse=True)
def project(qgis_new_project) -> QgsProject:
    QgsProject.instance().setCrs(UTM)
    return QgsProject.instance()


def ortho(tmp_path, project, colour=GREY, name="ortho"):
    pixels = np.empty((3, 120, 160), dtype=np.uint8)
    pixels[:] = np.array(colour)[:, None, None]
    path = write(tmp_path / f"{name}.tif", pixels, srs(32631).ExportToWkt(), (5e5, 1, 0, 5.7e6, 0, -1))
    layer = layer_of(path, name)
    project.addMapLayer(layer)
    return layer


def boxes(project, colour="255,0,0", box=(500_040, 5_699_940, 500_080, 5_699_980), name="boxes"):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=name:string", name, "memory")
    feature = QgsFeature(layer.fields())
    feature.setAttributes(["a label"])
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(*box)))
    layer.dataProvider().addFeatures([feature])
    symbol = QgsFillSymbol.createSimple({"color": colour, "outline_style": "no"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    project.addMapLayer(layer)
    return layer


def picture(project, layers, choice=None, extent=EXTENT):
    canvas = canvas_of(layers, UTM, extent)
    frozen = freeze(choice or Seen(), place_of_rectangle(extent, UTM), project, canvas)
    return (*pixels_of(frozen.source), frozen)


def share(pixels, colour):
    return (pixels == np.array(colour)).all(axis=2).mean()


def test_layers_lie_above_each_other_as_on_the_map(tmp_path, project):
    base, above = ortho(tmp_path, project), boxes(project)
    pixels, alpha, frozen = picture(project, [above, base])
    assert (frozen.spec.width, frozen.spec.height) == (160, 120)
    assert share(pixels, RED) == pytest.approx(1600 / 19200)
    assert (pixels[20:60, 40:80] == RED).all()
    assert alpha.min() == 255


def test_our_own_layers_are_not_in_the_picture_nor_layers_of_our_group(tmp_path, project):
    base, ours, grouped = ortho(tmp_path, project), boxes(project), boxes(project, "0,0,255")
    ours.setCustomProperty("groundproof/layer", "evidence")
    group = project.layerTreeRoot().addGroup("groundproof")
    group.setCustomProperty("groundproof/layer", "group")
    inner = group.addGroup("run 1")
    inner.addLayer(grouped)
    project.layerTreeRoot().removeChildNode(project.layerTreeRoot().findLayer(grouped.id()))
    pixels, _, _ = picture(project, [grouped, ours, base])
    assert share(pixels, GREY) == 1
    with pytest.raises(PixelError, match="Nothing is visible"):
        picture(project, [grouped, ours])


def test_imagery_that_was_put_into_our_group_is_seen(tmp_path, project):
    base = ortho(tmp_path, project)
    group = project.layerTreeRoot().addGroup("groundproof")
    group.setCustomProperty("groundproof/layer", "group")
    group.addLayer(base)
    project.layerTreeRoot().removeChildNode(project.layerTreeRoot().findLayer(base.id()))
    pixels, _, _ = picture(project, [base])
    assert share(pixels, GREY) == 1


def test_labels_and_selection_are_not_in_the_picture(tmp_path, project):
    base, above = ortho(tmp_path, project), boxes(project)
    labels = QgsPalLayerSettings()
    labels.fieldName = "name"
    above.setLabeling(QgsVectorLayerSimpleLabeling(labels))
    above.setLabelsEnabled(True)
    above.selectAll()
    pixels, _, _ = picture(project, [above, base])
    assert share(pixels, RED) + share(pixels, GREY) == 1


def test_empty_ground_is_no_data(tmp_path, project):
    base = ortho(tmp_path, project)
    wide = QgsRectangle(500_000, 5_699_880, 500_320, 5_700_000)
    _, alpha, _ = picture(project, [base], Seen(resolution_m=1.0), wide)
    assert alpha[1:118, 1:158].min() == 255
    assert alpha[:, 162:].max() == 0


def test_a_map_theme_is_drawn_with_its_layers_and_styles(tmp_path, project):
    base, above = ortho(tmp_path, project), boxes(project)
    manager = above.styleManager()
    manager.addStyleFromLayer("blue")
    manager.setCurrentStyle("blue")
    above.renderer().symbol().setColor(QColor(0, 0, 255))
    record = QgsMapThemeCollection.MapThemeRecord()
    for layer, style in ((above, "blue"), (base, "default")):
        one = QgsMapThemeCollection.MapThemeLayerRecord(layer)
        one.usingCurrentStyle = True
        one.currentStyle = style
        record.addLayerRecord(one)
    project.mapThemeCollection().insert("later", record)
    manager.setCurrentStyle("default")
    pixels, _, frozen = picture(project, [base], Seen(theme="later"))
    assert frozen.spec.name == "later"
    assert share(pixels, BLUE) == pytest.approx(1600 / 19200)
    assert above.renderer().symbol().color().red() == 255
    with pytest.raises(PixelError, match='no map theme "never"'):
        picture(project, [base], Seen(theme="never"))


@pytest.mark.parametrize("gone", ["removed", "restyled", "cleared"])
def test_what_happens_to_the_project_after_the_click_changes_nothing(tmp_path, project, gone):
    base, above = ortho(tmp_path, project), boxes(project)
    canvas = canvas_of([above, base], UTM, EXTENT)
    frozen = freeze(Seen(), place_of_canvas(canvas), project, canvas)
    if gone == "removed":
        project.removeMapLayers([base.id(), above.id()])
    elif gone == "restyled":
        above.renderer().symbol().setColor(QColor(0, 255, 0))
        canvas.setRotation(45)
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    else:
        project.clear()
    pixels, _ = pixels_of(frozen.source)
    assert share(pixels, RED) > 0.05


def test_a_symbol_keeps_its_size_on_the_ground_at_any_resolution(tmp_path, project):
    points = QgsVectorLayer("Point?crs=EPSG:32631", "points", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt("POINT(500080 5699940)"))
    points.dataProvider().addFeatures([feature])
    points.renderer().symbol().setSize(8)
    points.renderer().symbol().setColor(QColor(255, 0, 0))
    project.addMapLayer(points)
    areas = []
    for resolution in (0.25, 0.5):
        _, alpha, _ = picture(project, [points], Seen(resolution_m=resolution))
        areas.append((alpha > 127).sum() * resolution**2)
    assert areas[0] == pytest.approx(areas[1], rel=0.1)
    assert areas[0] > 0


def test_a_stretch_that_follows_the_canvas_is_one_for_all_windows(tmp_path, project):
    values = np.tile(np.arange(2600, dtype=np.uint16) * 20, (40, 1))[None]
    path = write(tmp_path / "ramp.tif", values, srs(32631).ExportToWkt(), (5e5, 1, 0, 5.7e6, 0, -1))
    layer = layer_of(path, "ramp")
    origin = QgsRasterMinMaxOrigin()
    origin.setLimits(QgsRasterMinMaxOrigin.MinMax)
    origin.setExtent(QgsRasterMinMaxOrigin.UpdatedCanvas)
    layer.setContrastEnhancement(1)  # stretch to minimum and maximum
    layer.renderer().setMinMaxOrigin(origin)
    project.addMapLayer(layer)
    extent = QgsRectangle(5e5, 5.7e6 - 40, 5e5 + 2600, 5.7e6)
    pixels, _, frozen = picture(project, [layer], Seen(resolution_m=1.0), extent)
    assert frozen.spec.width > 2048
    assert (
        np.diff(pixels[20, :2590, 0].astype(int)).min() >= 0
    )  # a stretch anew at a seam would begin at black again


def test_a_layer_out_of_scale_on_the_canvas_is_not_seen(tmp_path, project):
    base, above = ortho(tmp_path, project), boxes(project)
    above.setScaleBasedVisibility(True)
    above.setMinimumScale(10)
    above.setMaximumScale(1)
    pixels, _, _ = picture(project, [above, base])
    assert share(pixels, GREY) == 1


def test_a_layer_in_scale_on_the_canvas_is_seen_at_any_resolution(tmp_path, project):
    base, above = ortho(tmp_path, project), boxes(project)
    scale = canvas_of([base], UTM, EXTENT).scale()
    above.setScaleBasedVisibility(True)
    above.setMinimumScale(scale * 1.2)
    above.setMaximumScale(scale / 1.2)
    pixels, _, _ = picture(project, [above, base], Seen(resolution_m=4.0))
    assert share(pixels, RED) > 0.05


def test_the_canvas_zoomed_out_gives_its_own_resolution_and_says_so(tmp_path, project):
    base = ortho(tmp_path, project)
    far = canvas_of([base], UTM, QgsRectangle(498_000, 5_698_000, 502_000, 5_702_000))
    found = preview(Seen(), place_of_canvas(far), project, far)
    assert found.gsd_m == pytest.approx(far.mapUnitsPerPixel(), rel=1e-3)
    assert "as on the canvas" in found.resolution
    close = canvas_of([base], UTM, EXTENT)
    assert 'native to "ortho"' in preview(Seen(), place_of_canvas(close), project, close).resolution
    native = preview(Seen(), place_of_canvas(close), project, close).gsd_m
    for times, words in ((3.9, 'native to "ortho"'), (4.1, "as on the canvas")):
        wide = canvas_of([base], UTM, EXTENT)
        wide.zoomScale(wide.scale() * native * times / wide.mapUnitsPerPixel())
        assert words in preview(Seen(), place_of_canvas(wide), project, wide).resolution


def test_without_a_canvas_the_checked_layers_are_seen(tmp_path, project):
    base = ortho(tmp_path, project)
    hidden = boxes(project)
    project.layerTreeRoot().findLayer(hidden.id()).setItemVisibilityChecked(False)
    frozen = freeze(Seen(), place_of_rectangle(EXTENT, UTM), project)
    pixels, _ = pixels_of(frozen.source)
    assert share(pixels, GREY) == 1
    assert base.isValid()


def test_a_place_beside_all_imagery_is_a_sentence(tmp_path, project):
    base = ortho(tmp_path, project)
    with pytest.raises(PixelError, match="No visible layer reaches the place"):
        picture(project, [base], Seen(resolution_m=1.0), QgsRectangle(600_000, 5e6, 600_100, 5_000_100))


def test_a_layer_whose_source_is_gone_is_a_sentence(tmp_path, project):
    base, other = ortho(tmp_path, project), ortho(tmp_path, project, RED, "gone")
    canvas = canvas_of([other, base], UTM, EXTENT)
    (tmp_path / "gone.tif").unlink()
    with pytest.raises(PixelError, match='The layer "gone" cannot be copied'):
        freeze(Seen(), place_of_canvas(canvas), project, canvas)


def test_an_empty_map_and_a_place_too_large_are_sentences(tmp_path, project):
    canvas = canvas_of([], UTM, EXTENT)
    with pytest.raises(PixelError, match="Nothing is visible"):
        preview(Seen(), place_of_canvas(canvas), project, canvas)
    base = ortho(tmp_path, project)
    canvas = canvas_of([base], UTM, EXTENT)
    with pytest.raises(PixelError, match="up to 1,000,000,000 px"):
        preview(Seen(resolution_m=0.001), place_of_canvas(canvas), project, canvas)


def test_a_preview_of_many_layers_is_cheap(tmp_path, project):
    layers = [boxes(project, name=str(i)) for i in range(60)] + [ortho(tmp_path, project)]
    canvas = canvas_of(layers, UTM, EXTENT)
    place = place_of_canvas(canvas)
    preview(Seen(), place, project, canvas)
    started = time.perf_counter()
    for _ in range(5):
        preview(Seen(), place, project, canvas)
    assert (time.perf_counter() - started) / 5 < 0.05


def test_the_canvas_itself_is_left_alone(tmp_path, project):
    base = ortho(tmp_path, project)
    canvas = canvas_of([base], UTM, EXTENT, 30.0)
    before = (canvas.mapSettings().outputDpi(), canvas.rotation(), canvas.extent().toString())
    frozen = freeze(Seen(), place_of_canvas(canvas), project, canvas)
    pixels_of(frozen.source)
    assert (canvas.mapSettings().outputDpi(), canvas.rotation(), canvas.extent().toString()) == before
    assert canvas.mapSettings().testFlag(Qgis.MapSettingsFlag.DrawLabeling)
    assert canvas.layers() == [base]
    assert base.extent() == QgsRectangle(5e5, 5.7e6 - 120, 5e5 + 160, 5.7e6)
