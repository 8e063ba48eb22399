"""Rasters with squares of known colour at known places, and where these are in the pixels that would be sent.

The oracle for coordinates is osgeo.osr, which the plugin does not use.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from osgeo import gdal, osr
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsRasterLayer, QgsTask
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QEventLoop, QSize, QThread, QTimer
from qgis.PyQt.QtGui import QImage

from groundproof_qgis.imagery.scene import PixelSource, PixelWindow

GROUND = (90, 90, 90)
COLOURS = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (255, 0, 255),
    (0, 255, 255),
)
NEAR = 20
"""How far each channel of a pixel may be from a mixture of a square's colour and the ground's."""


@dataclass(frozen=True)
class Square:
    """col, row: of its upper left pixel's corner in the raster. side: px of the raster."""

    col: int
    row: int
    side: int
    colour: tuple[int, int, int]


def squares_for(width: int, height: int, side: int) -> list[Square]:
    """Six, nowhere symmetric."""
    at = ((0.11, 0.13), (0.81, 0.17), (0.47, 0.43), (0.19, 0.79), (0.77, 0.71), (0.33, 0.27))
    return [
        Square(int(x * width), int(y * height), side, colour)
        for (x, y), colour in zip(at, COLOURS)
        if int(x * width) + side < width and int(y * height) + side < height
    ]


def painted(width: int, height: int, squares: list[Square]) -> np.ndarray:
    """Bands, rows, columns."""
    pixels = np.empty((3, height, width), dtype=np.uint8)
    pixels[:] = np.array(GROUND, dtype=np.uint8)[:, None, None]
    for one in squares:
        pixels[:, one.row : one.row + one.side, one.col : one.col + one.side] = np.array(one.colour)[
            :, None, None
        ]
    return pixels


def write(path, pixels: np.ndarray, wkt: str | None, geotransform=None, gcps=None, options=()) -> str:
    """A GeoTIFF of bands, rows, columns; placed by a geotransform or by control points."""
    kinds = {
        "uint8": gdal.GDT_Byte,
        "uint16": gdal.GDT_UInt16,
        "int16": gdal.GDT_Int16,
        "float32": gdal.GDT_Float32,
    }
    bands, height, width = pixels.shape
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), width, height, bands, kinds[str(pixels.dtype)], list(options)
    )
    if geotransform is not None:
        dataset.SetGeoTransform(geotransform)
    if gcps is not None:
        dataset.SetGCPs(gcps, wkt)
    elif wkt is not None:
        dataset.SetProjection(wkt)
    for number in range(bands):
        dataset.GetRasterBand(number + 1).WriteArray(pixels[number])
    dataset = None
    return str(path)


def srs(text: str | int) -> osr.SpatialReference:
    """From an EPSG code or WKT, x before y."""
    found = osr.SpatialReference()
    if isinstance(text, int):
        found.ImportFromEPSG(text)
    else:
        found.ImportFromWkt(text)
    found.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return found


def transformed(points, source: osr.SpatialReference, target: osr.SpatialReference):
    """(x, y) of each point in `target`."""
    if source.IsSame(target):
        return [tuple(point) for point in points]
    change = osr.CoordinateTransformation(source, target)
    return [change.TransformPoint(x, y)[:2] for x, y in points]


def layer_of(path: str, name: str = "squares") -> QgsRasterLayer:
    layer = QgsRasterLayer(str(path), name)
    assert layer.isValid(), path
    for (
        band
    ) in layer.renderer().usesBands():  # colours as painted, whatever QGIS's default stretch would make
        assert band > 0
    layer.setContrastEnhancement(0)
    return layer


def canvas_of(layers, crs, extent, rotation=0.0, size=(640, 480)) -> QgsMapCanvas:
    """A canvas that shows an extent, never on a screen."""
    canvas = QgsMapCanvas()
    canvas.resize(QSize(*size))
    canvas.setDestinationCrs(
        crs if isinstance(crs, QgsCoordinateReferenceSystem) else QgsCoordinateReferenceSystem(f"EPSG:{crs}")
    )
    canvas.setLayers(layers)
    canvas.setRotation(rotation)
    canvas.setExtent(extent)
    return canvas


class ReadTask(QgsTask):
    """Reads all windows where they are read in earnest: in a worker thread of the task manager."""

    def __init__(self, source: PixelSource) -> None:
        super().__init__("read", QgsTask.Flag.CanCancel)
        self.source = source
        self.got: list[PixelWindow] = []
        self.failure: Exception | None = None
        self.thread_was_main = True

    def run(self) -> bool:
        self.thread_was_main = QThread.currentThread() is QgsApplication.instance().thread()
        try:
            for window in self.source.windows(self.isCanceled):
                self.got.append(window)
        except Exception as err:  # noqa: BLE001 - handed to the test
            self.failure = err
            return False
        return True


def read_in_task(source: PixelSource, timeout_ms: int = 60_000) -> list[PixelWindow]:
    """The windows, read in a QgsTask while this thread runs its events. Raises what reading raised."""
    task, loop = ReadTask(source), QEventLoop()
    task.taskCompleted.connect(loop.quit)
    task.taskTerminated.connect(loop.quit)
    QTimer.singleShot(timeout_ms, loop.quit)
    QgsApplication.taskManager().addTask(task)
    loop.exec()
    task.source = None  # the manager keeps the task longer than the layers in it may live
    assert not task.thread_was_main
    if task.failure is not None:
        raise task.failure
    return task.got


def decoded(window: PixelWindow, bands: int, dtype: str) -> np.ndarray:
    """Rows, columns, bands; alpha last where it came."""
    if window.is_raw:
        pixels = np.frombuffer(window.body, dtype=np.dtype(dtype).newbyteorder("<"))
        assert pixels.size in (
            window.width * window.height * bands,
            window.width * window.height * (bands + 1),
        )
        return pixels.reshape(window.height, window.width, -1)
    image = QImage.fromData(window.body, "PNG").convertToFormat(QImage.Format.Format_RGBA8888)
    assert (image.width(), image.height()) == (window.width, window.height)
    raw = image.constBits().asstring(image.sizeInBytes())
    return (
        np.frombuffer(raw, dtype=np.uint8)
        .reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()]
        .copy()
    )


def assembled(source: PixelSource, windows: list[PixelWindow]) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns, bands) and the alpha of each pixel (opaque where none came); every pixel came exactly once."""
    spec = source.spec
    pixels = np.zeros((spec.height, spec.width, spec.bands), dtype=spec.dtype)
    alpha = np.zeros((spec.height, spec.width), dtype=spec.dtype)
    came = np.zeros((spec.height, spec.width), dtype=np.uint8)
    for window in windows:
        rows, cols = (
            slice(window.y0, window.y0 + window.height),
            slice(window.x0, window.x0 + window.width),
        )
        part = decoded(window, spec.bands, spec.dtype)
        pixels[rows, cols] = part[..., : spec.bands]
        alpha[rows, cols] = part[..., spec.bands] if part.shape[2] > spec.bands else np.iinfo(spec.dtype).max
        came[rows, cols] += 1
    assert came.max() == 1, "a pixel came twice"
    if not spec.sparse:
        assert came.min() == 1, "a pixel never came"
    return pixels, alpha


def share_of(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """How much of each pixel is a square of that colour, the rest ground: 0 to 1. Pixels of any other colour: 0."""
    ground, full = np.array(GROUND, dtype=float), np.array(colour, dtype=float) - np.array(GROUND)
    away = pixels.astype(float) - ground
    share = away @ full / (full @ full)
    beside = np.abs(away - share[..., None] * full).max(axis=2)
    return np.where((beside <= NEAR) & (share > 0.1), np.clip(share, 0.0, 1.0), 0.0)


def pixels_of(source: PixelSource) -> tuple[np.ndarray, np.ndarray]:
    """Read in a worker thread, put together, closed: as `assembled` returns it."""
    try:
        return assembled(source, read_in_task(source))
    finally:
        source.close()


@dataclass(frozen=True)
class Found:
    """A square in the pixels sent. off_px: from its true centre. larger_px: its side's difference from the true one."""

    colour: tuple[int, int, int]
    off_px: float
    larger_px: float


def find(
    pixels: np.ndarray, spec, squares: list[Square], to_map, source: osr.SpatialReference, least: int = 4
) -> list[Found]:
    """Each square that lies wholly in the scene, by its colour, against the truth.

    to_map: (col, row) of the painted raster -> (x, y) in `source`.
    """
    a, b, c, d, e, f = spec.affine
    target = srs(spec.crs_wkt)
    det = a * e - b * d
    found = []
    for one in squares:
        corners = [
            (one.col, one.row),
            (one.col + one.side, one.row),
            (one.col + one.side, one.row + one.side),
            (one.col, one.row + one.side),
        ]
        truth = np.array(transformed([to_map(*corner) for corner in corners], source, target))
        x, y = truth[:, 0] - c, truth[:, 1] - f
        cols, rows = (e * x - b * y) / det, (a * y - d * x) / det
        if min(cols.min(), rows.min()) < 0 or cols.max() > spec.width or rows.max() > spec.height:
            continue
        area = 0.5 * abs(np.dot(cols, np.roll(rows, 1)) - np.dot(rows, np.roll(cols, 1)))
        share = share_of(pixels, one.colour)
        assert (share > 0.5).sum() >= least, f"the square {one.colour} is not in the pixels sent"
        at_rows, at_cols = np.nonzero(share)
        weight = share[at_rows, at_cols]
        off = math.hypot(
            np.average(at_cols + 0.5, weights=weight) - cols.mean(),
            np.average(at_rows + 0.5, weights=weight) - rows.mean(),
        )
        found.append(Found(one.colour, off, math.sqrt(weight.sum()) - math.sqrt(area)))
    return found


def check(found: list[Found], at_least: int) -> None:
    """Half a pixel, for centre and side, for as many squares as must be there."""
    assert len(found) >= at_least, f"only {len(found)} squares lie in the scene"
    worst = max(found, key=lambda one: one.off_px)
    assert worst.off_px <= 0.5, worst
    widest = max(found, key=lambda one: abs(one.larger_px))
    assert abs(widest.larger_px) <= 0.5, widest
