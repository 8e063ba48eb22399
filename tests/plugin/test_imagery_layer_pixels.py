"""A raster layer's own pixels: as measured where they are plain numbers, else in the colours of the style."""

from __future__ import annotations

import time

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDateTimeRange,
    QgsGeometry,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRasterShader,
    QgsRectangle,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime
from qgis.PyQt.QtGui import QColor

from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.freeze import freeze, preview
from groundproof_qgis.imagery.place import Place, place_of_layer, place_of_rectangle
from groundproof_qgis.imagery.what import LayerPixels
from tests.plugin.golden_scenes import pixels_of, srs, write

UTM = QgsCoordinateReferenceSystem("EPSG:32631")
NUMBERS = (500_000.0, 0.5, 0.0, 5_700_000.0, 0.0, -0.5)
RANDOM = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def empty_project(qgis_new_project):
    QgsProject.instance().setCrs(UTM)


def opened(path, name="ortho") -> QgsRasterLayer:
    layer = QgsRasterLayer(str(path), name)
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


def made(tmp_path, pixels, name="ortho", numbers=NUMBERS, crs=32631, **options) -> QgsRasterLayer:
    wkt = None if crs is None else srs(crs).ExportToWkt()
    return opened(write(tmp_path / f"{name}.tif", pixels, wkt, numbers, **options), name)


def noise(bands, height=60, width=80, dtype="uint8"):
    return RANDOM.integers(1, np.iinfo(dtype).max, (bands, height, width), dtype=dtype)


def whole(layer, **choice):
    return freeze(LayerPixels(layer.id(), **choice), place_of_layer(layer), QgsProject.instance())


def came(frozen):
    pixels, alpha = pixels_of(frozen.source)
    return np.moveaxis(pixels, 2, 0), alpha


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_bands_come_as_measured_in_the_order_the_style_shows_them(tmp_path, dtype):
    values = noise(5, dtype=dtype)
    layer = made(tmp_path, values)
    layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), 4, 3, 1))
    frozen = whole(layer)
    pixels, alpha = came(frozen)
    assert (frozen.spec.bands, frozen.spec.dtype) == (3, dtype)
    assert (pixels == values[[3, 2, 0]]).all()
    assert (alpha == np.iinfo(dtype).max).all()


def test_chosen_bands_come_in_the_order_they_were_chosen(tmp_path):
    values = noise(5)
    frozen = whole(made(tmp_path, values), bands=(5, 1, 2, 4))
    pixels, _ = came(frozen)
    assert frozen.spec.bands == 4
    assert (pixels == values[[4, 0, 1, 3]]).all()


def test_a_grey_layer_is_one_band(tmp_path):
    values = noise(1)
    frozen = whole(made(tmp_path, values))
    pixels, _ = came(frozen)
    assert frozen.spec.bands == 1
    assert (pixels == values).all()


def test_a_place_is_snapped_outward_to_whole_pixels_and_cut_at_the_layer(tmp_path):
    values = noise(3)
    layer = made(tmp_path, values)
    place = place_of_rectangle(QgsRectangle(500_002.3, 5_699_980.2, 500_090, 5_699_990.1), UTM)
    frozen = freeze(LayerPixels(layer.id()), place, QgsProject.instance())
    pixels, _ = came(frozen)
    assert frozen.spec.affine == (0.5, 0, 500_002.0, 0, -0.5, 5_699_990.5)
    assert (pixels == values[:, 19:40, 4:80]).all()
    assert frozen.area is None
    assert frozen.ground_m == pytest.approx((76 * 0.5, 21 * 0.5), rel=1e-3)
    assert frozen.gsd_m == pytest.approx(0.5, rel=1e-3)


def test_a_polygon_in_another_crs_is_an_area_in_the_scenes_crs(tmp_path):
    layer = made(tmp_path, noise(3))
    triangle = QgsGeometry.fromWkt(
        "POLYGON((500005 5699995, 500035 5699995, 500020 5699975, 500005 5699995))"
    )
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    triangle.transform(QgsCoordinateTransform(UTM, degrees, QgsProject.instance()))
    place = Place(triangle, degrees)
    frozen = preview(LayerPixels(layer.id()), place, QgsProject.instance())
    assert frozen.area.crs_wkt == frozen.spec.crs_wkt
    ring = np.array(frozen.area.geojson["coordinates"][0][0])
    assert (ring[:, 0].min(), ring[:, 0].max()) == pytest.approx((500_005, 500_035), abs=1e-3)
    assert (ring[:, 1].min(), ring[:, 1].max()) == pytest.approx((5_699_975, 5_699_995), abs=1e-3)
    assert frozen.area.field is None


def test_parts_of_a_place_keep_their_names(tmp_path):
    layer = made(tmp_path, noise(3))
    boxes = [QgsGeometry.fromRect(QgsRectangle(x, 5_699_980, x + 5, 5_699_990)) for x in (500_002, 500_020)]
    place = Place(QgsGeometry.unaryUnion(boxes), UTM, parts=tuple(zip(("a", "b"), boxes)))
    area = preview(LayerPixels(layer.id()), place, QgsProject.instance()).area
    assert area.field == "name"
    assert [feature["properties"]["name"] for feature in area.geojson["features"]] == ["a", "b"]


def test_only_windows_near_the_area_are_sent(tmp_path):
    values = np.full((1, 4096, 9000), 80, dtype=np.uint8)
    layer = made(tmp_path, values, options=["COMPRESS=DEFLATE"])
    ends = (
        "MULTIPOLYGON(((500000 5700000,500030 5700000,500030 5699970,500000 5700000)),"
        "((504470 5697960,504499 5697960,504499 5697990,504470 5697960)))"
    )
    frozen = freeze(LayerPixels(layer.id()), Place(QgsGeometry.fromWkt(ends), UTM), QgsProject.instance())
    pixels, _ = came(frozen)
    assert frozen.spec.sparse
    assert (pixels[0, :100, :100] == 80).all()
    assert (pixels[0, -100:, -100:] == 80).all()
    assert (pixels[0, :, 4300:4700] == 0).all()  # never sent


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_no_data_becomes_alpha_where_no_band_has_any(tmp_path, dtype):
    values = noise(3, dtype=dtype)
    values[:, 10:20, 10:30] = 0
    values[0, 40:50, 40:50] = 0  # one band of three: the others are data
    layer = made(tmp_path, values)
    dataset = gdal.Open(layer.source(), gdal.GA_Update)
    for band in (1, 2, 3):
        dataset.GetRasterBand(band).SetNoDataValue(0)
    dataset = None
    QgsProject.instance().removeMapLayer(layer.id())
    pixels, alpha = came(whole(opened(tmp_path / "ortho.tif")))
    expected = np.where((values == 0).all(axis=0), 0, np.iinfo(dtype).max)
    assert (alpha == expected).all()
    assert (pixels == values).all()


def test_values_the_user_declared_to_be_none_are_none(tmp_path):
    values = noise(1)
    values[0, 5:9] = 77
    layer = made(tmp_path, values)
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(77, 77)])
    _, alpha = came(whole(layer))
    assert (alpha == np.where(values[0] == 77, 0, 255)).all()


def test_an_alpha_band_is_alpha(tmp_path):
    values = noise(4)
    values[3, :, :40] = 0
    values[3, :, 40:] = 255
    layer = made(tmp_path, values, options=["PHOTOMETRIC=RGB", "ALPHA=YES"])
    pixels, alpha = came(whole(layer))
    assert (pixels == values[:3]).all()
    assert (alpha == values[3]).all()


def test_a_coarser_resolution_is_an_average_of_the_pixels(tmp_path):
    values = np.kron(noise(3, 10, 12), np.ones((1, 4, 4), dtype=np.uint8))
    layer = made(tmp_path, values)
    native = preview(LayerPixels(layer.id()), place_of_layer(layer), QgsProject.instance())
    frozen = whole(layer, resolution=native.gsd_m * 4)
    pixels, _ = came(frozen)
    assert (frozen.spec.width, frozen.spec.height) == (12, 10)
    assert frozen.spec.affine == (2.0, 0, 500_000, 0, -2.0, 5_700_000)
    assert (pixels == values[:, ::4, ::4]).all()


def test_a_finer_resolution_than_native_is_native_and_said(tmp_path):
    layer = made(tmp_path, noise(3))
    choice = LayerPixels(layer.id(), resolution=0.1)
    frozen = preview(choice, place_of_layer(layer), QgsProject.instance())
    assert (frozen.spec.width, frozen.spec.height) == (80, 60)
    assert "0.1 m per px was chosen" in frozen.notes[0]


def test_a_palette_is_sent_in_its_colours(tmp_path):
    values = RANDOM.integers(0, 3, (1, 60, 80), dtype=np.uint8)
    layer = made(tmp_path, values)
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    classes = [QgsPalettedRasterRenderer.Class(i, QColor(*colours[i])) for i in range(3)]
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))
    layer.renderer().setOpacity(0.4)  # how it is mixed on the map is not what it holds
    frozen = whole(layer)
    pixels, alpha = came(frozen)
    assert (frozen.spec.bands, frozen.spec.dtype) == (3, "uint8")
    assert (pixels == np.moveaxis(np.array(colours)[values[0]], 2, 0)).all()
    assert (alpha == 255).all()
    assert "colours of its style" in frozen.notes[0]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_other_numbers_are_sent_as_they_are_shown(tmp_path, dtype):
    values = np.linspace(-50, 204, 60 * 80).reshape(1, 60, 80).astype(dtype)
    layer = made(tmp_path, values)
    grey = QgsSingleBandGrayRenderer(layer.dataProvider(), 1)
    stretch = QgsContrastEnhancement(layer.dataProvider().dataType(1))
    stretch.setContrastEnhancementAlgorithm(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
    )
    stretch.setMinimumValue(-50)
    stretch.setMaximumValue(205)
    grey.setContrastEnhancement(stretch)
    layer.setRenderer(grey)
    pixels, _ = came(whole(layer))
    assert np.abs(pixels[0].astype(float) - (values[0] + 50)).max() <= 1.01
    with pytest.raises(PixelError, match="not all 8 bit or all 16 bit"):
        whole(layer, bands=(1,))


def test_bands_a_layer_does_not_have_are_a_sentence(tmp_path):
    with pytest.raises(PixelError, match='"ortho" has 3'):
        whole(made(tmp_path, noise(3)), bands=(1, 7))


def test_a_layer_without_crs_is_sent_whole_in_pixel_space(tmp_path):
    values = noise(3)
    layer = made(tmp_path, values, numbers=None, crs=None)
    layer.setCrs(QgsCoordinateReferenceSystem())
    frozen = whole(layer)
    pixels, _ = came(frozen)
    assert (frozen.spec.crs_wkt, frozen.spec.affine, frozen.gsd_m, frozen.area) == (None, None, None, None)
    assert "boxes come in pixels" in frozen.notes[0]
    assert (pixels == values).all()
    place = place_of_rectangle(QgsRectangle(0, 0, 1, 1), UTM)
    with pytest.raises(PixelError, match="has no coordinate reference system"):
        freeze(LayerPixels(layer.id()), place, QgsProject.instance())
    with pytest.raises(PixelError, match="metres per px mean nothing"):
        whole(layer, resolution=1.0)


def test_a_place_beside_the_layer_is_a_sentence(tmp_path):
    layer = made(tmp_path, noise(3))
    place = place_of_rectangle(QgsRectangle(600_000, 5_700_000, 600_100, 5_700_100), UTM)
    with pytest.raises(PixelError, match='lies outside the layer "ortho"'):
        preview(LayerPixels(layer.id()), place, QgsProject.instance())


def test_a_layer_that_left_the_project_is_a_sentence(tmp_path):
    layer = made(tmp_path, noise(3))
    choice, place = LayerPixels(layer.id()), place_of_layer(layer)
    QgsProject.instance().removeMapLayer(layer.id())
    with pytest.raises(PixelError, match="not in the project any more"):
        freeze(choice, place, QgsProject.instance())


def test_a_file_that_vanished_after_the_click_is_a_sentence(tmp_path):
    layer = made(tmp_path, noise(3))
    frozen = whole(layer)
    QgsProject.instance().removeMapLayer(layer.id())
    (tmp_path / "ortho.tif").unlink()
    with pytest.raises(PixelError, match=r"ortho\.tif cannot be opened"):
        pixels_of(frozen.source)


@pytest.mark.parametrize("styled", [False, True])
def test_the_layer_may_leave_the_project_after_the_click(tmp_path, styled):
    values = noise(3)
    layer = made(tmp_path, values)
    layer.setContrastEnhancement(QgsContrastEnhancement.ContrastEnhancementAlgorithm.NoEnhancement)
    frozen = whole(layer, styled=styled)
    QgsProject.instance().clear()
    pixels, _ = came(frozen)
    assert (pixels == values).all()


def test_too_many_pixels_are_a_sentence_before_anything_is_read(tmp_path):
    vrt = tmp_path / "huge.vrt"
    vrt.write_text(
        '<VRTDataset rasterXSize="60000" rasterYSize="40000"><SRS>EPSG:32631</SRS>'
        "<GeoTransform>500000,0.1,0,5700000,0,-0.1</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"/></VRTDataset>'
    )
    layer = opened(vrt, "huge")
    with pytest.raises(PixelError, match="60,000 x 40,000 px; up to 1,000,000,000 px"):
        preview(LayerPixels(layer.id()), place_of_layer(layer), QgsProject.instance())


def test_geopackage_rasters_and_virtual_rasters_are_files(tmp_path):
    values = noise(3, 300, 256)
    write(tmp_path / "a.tif", values, srs(32631).ExportToWkt(), NUMBERS)
    gdal.Translate(
        str(tmp_path / "r.gpkg"),
        str(tmp_path / "a.tif"),
        format="GPKG",
        creationOptions=["TILE_FORMAT=PNG", "RASTER_TABLE=ortho"],
    )
    gdal.BuildVRT(str(tmp_path / "a.vrt"), [str(tmp_path / "a.tif")]).FlushCache()
    for source in (f"GPKG:{tmp_path / 'r.gpkg'}:ortho", tmp_path / "a.vrt"):
        pixels, alpha = came(whole(opened(source)))
        assert (pixels == values).all()
        assert alpha.min() == 255


def test_the_date_is_the_layers_else_the_files(tmp_path):
    layer = made(tmp_path, noise(3))
    assert whole(layer).spec.datetime is None
    times = layer.temporalProperties()
    times.setIsActive(True)
    begin = QDateTime(QDate(2021, 5, 6), QTime(7, 8, 9), Qt.TimeSpec.UTC)
    times.setFixedTemporalRange(QgsDateTimeRange(begin, begin.addDays(1)))
    assert whole(layer).spec.datetime == "2021-05-06T07:08:09Z"
    dataset = gdal.Open(str(tmp_path / "ortho.tif"), gdal.GA_Update)
    dataset.SetMetadataItem("TIFFTAG_DATETIME", "2019:01:02 03:04:05")
    dataset = None
    assert whole(opened(tmp_path / "ortho.tif", "again")).spec.datetime == "2019-01-02T03:04:05Z"


def test_a_preview_is_cheap_enough_for_every_key(tmp_path):
    layer = made(tmp_path, noise(3, 2000, 2000))
    place = place_of_layer(layer)
    preview(LayerPixels(layer.id()), place, QgsProject.instance())
    started = time.perf_counter()
    for _ in range(10):
        preview(LayerPixels(layer.id()), place, QgsProject.instance())
    assert (time.perf_counter() - started) / 10 < 0.05


def test_degrees_beyond_180_are_found(tmp_path):
    values = noise(3)
    layer = made(tmp_path, values, numbers=(179.99, 0.0005, 0, -17, 0, -0.0005), crs=4326)
    place = place_of_rectangle(
        QgsRectangle(-179.995, -17.02, -179.98, -17.01), QgsCoordinateReferenceSystem("EPSG:4326")
    )
    frozen = freeze(LayerPixels(layer.id()), place, QgsProject.instance())
    pixels, _ = came(frozen)
    assert frozen.spec.affine[2] == pytest.approx(180.005)
    assert (pixels == values[:, 20:40, 30:60]).all()


def test_a_ramp_is_sent_in_its_colours(tmp_path):
    values = np.tile(np.arange(80, dtype=np.uint8), (60, 1))[None]
    layer = made(tmp_path, values)
    ramp = QgsColorRampShader(0, 79)
    ramp.setColorRampType(QgsColorRampShader.Type.Discrete)
    ramp.setColorRampItemList(
        [
            QgsColorRampShader.ColorRampItem(39, QColor(10, 20, 30)),
            QgsColorRampShader.ColorRampItem(1e9, QColor(200, 100, 50)),
        ]
    )
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(ramp)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader))
    pixels, _ = came(whole(layer))
    assert (pixels[:, :, :40] == np.array([10, 20, 30])[:, None, None]).all()
    assert (pixels[:, :, 40:] == np.array([200, 100, 50])[:, None, None]).all()
