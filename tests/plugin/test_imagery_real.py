"""Real rasters: what is frozen is what GDAL reads, with the affine GDAL says."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRasterLayer

from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.freeze import freeze, preview
from groundproof_qgis.imagery.place import place_of_canvas, place_of_layer
from groundproof_qgis.imagery.what import LayerPixels, Seen
from tests.plugin.golden_scenes import canvas_of, pixels_of

RASTERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "rasters"
NAMES = sorted(path.name for ending in ("tif", "tiff") for path in RASTERS.glob(f"*.{ending}")) or ["none"]
LARGE_PX = 1_500_000

needs_imagery = pytest.mark.skipif(
    not RASTERS.is_dir(), reason="real imagery (../shared/data) is not beside this checkout"
)


@pytest.fixture(autouse=True)
def empty_project(qgis_new_project):
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))


def opened(folder: Path, name: str) -> QgsRasterLayer:
    """A copy, because QGIS writes statistics beside what it opens."""
    layer = QgsRasterLayer(shutil.copy(RASTERS / name, folder), name)
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


@needs_imagery
@pytest.mark.parametrize("name", NAMES)
def test_a_real_raster_is_sent_as_gdal_reads_it(tmp_path, name):
    layer = opened(tmp_path, name)
    project, place = QgsProject.instance(), place_of_layer(layer)
    first = preview(LayerPixels(layer.id()), place, project)
    dataset = gdal.Open(str(RASTERS / name))
    by_points = (
        dataset.GetGCPCount() > 0
    )  # GDAL warps those anew at each resolution, so only native is comparable
    times = 1 if by_points else math.ceil(math.sqrt(first.spec.pixels / LARGE_PX))
    resolution = first.gsd_m * times if times > 1 and first.gsd_m else None
    frozen = freeze(LayerPixels(layer.id(), resolution=resolution), place, project)
    pixels, alpha = pixels_of(frozen.source)
    spec = frozen.spec
    if by_points:
        dataset = gdal.Warp("", dataset, format="MEM", resampleAlg="near", dstAlpha=True, errorThreshold=0)
    c, a, b, f, d, e = dataset.GetGeoTransform()
    across, down = dataset.RasterXSize / spec.width, dataset.RasterYSize / spec.height
    if layer.crs().isValid() and spec.affine is not None:
        expected = (a * across, b * down, c, d * across, e * down, f)
        for got, wanted in zip(spec.affine, expected):
            assert got == pytest.approx(wanted, rel=1e-9, abs=1e-9 * abs(a))
    assert frozen.area is None
    if not frozen.notes or "control points" in frozen.notes[0] or spec.crs_wkt is None:
        numbers = layer.renderer().usesBands()
        assert spec.bands == len(numbers)
        truth = np.stack(
            [
                dataset.GetRasterBand(number).ReadAsArray(
                    buf_xsize=spec.width,
                    buf_ysize=spec.height,
                    resample_alg=gdal.GRIORA_Average if times > 1 else gdal.GRIORA_NearestNeighbour,
                )
                for number in numbers
            ],
            axis=-1,
        )
        shown = alpha > 0
        off = np.abs(pixels.astype(int) - truth.astype(int)).max(axis=2)
        assert off[shown].max() <= (1 if times > 1 else 0)
        mask = (
            dataset.GetRasterBand(numbers[0])
            .GetMaskBand()
            .ReadAsArray(
                buf_xsize=spec.width, buf_ysize=spec.height, resample_alg=gdal.GRIORA_NearestNeighbour
            )
        )
        assert ((mask > 0) == shown).mean() > 0.97
    else:
        assert "colours of its style" in frozen.notes[0]
        assert spec.bands == 3
        assert np.ptp(pixels) > 0


@needs_imagery
@pytest.mark.parametrize("name", NAMES)
def test_a_real_raster_is_seen(tmp_path, name):
    layer = opened(tmp_path, name)
    if not layer.crs().isValid():
        pytest.skip("it has no coordinate reference system, so it is not on the map")
    canvas = canvas_of([layer], layer.crs(), layer.extent())
    place = place_of_canvas(canvas)
    try:
        frozen = freeze(Seen(), place, QgsProject.instance(), canvas)
    except PixelError as err:
        assert "lies outside" in str(err)  # noqa: PT017 - a whole disk from space has corners that lie in space
        assert "geos" in name
        return
    pixels, alpha = pixels_of(frozen.source)
    assert (alpha > 0).mean() > 0.05
    assert np.ptp(pixels[alpha > 0]) > 0
