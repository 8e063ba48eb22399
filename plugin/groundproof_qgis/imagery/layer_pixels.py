"""A raster layer's own pixels, planned as one scene on the layer's own grid.

Knows which layers are files, which are services, and what of them can be sent as measured. Refuses to know the canvas's
other layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsGeometry,
    QgsProject,
    QgsRasterInterface,
    QgsRasterLayer,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.acquired import acquired
from groundproof_qgis.imagery.carry import carry, points_of
from groundproof_qgis.imagery.errors import OutsideError, PixelError
from groundproof_qgis.imagery.file_source import FileSource, SentBand
from groundproof_qgis.imagery.grid import WINDOW_PX, Grid, Part
from groundproof_qgis.imagery.ground import pixel_m
from groundproof_qgis.imagery.place import Place, polygon_of
from groundproof_qgis.imagery.plan import (
    RESAMPLED_TIMES,
    Plan,
    Preview,
    area_of,
    check_size,
    measured,
    parts_to_send,
    wkt_of,
)
from groundproof_qgis.imagery.raster_file import RasterFile, file_of
from groundproof_qgis.imagery.scene import PixelSource, SceneSpec
from groundproof_qgis.imagery.service_grid import service_grid
from groundproof_qgis.imagery.styled_source import StyledSource
from groundproof_qgis.imagery.what import LayerPixels

MAX_BANDS = 16
"""As many as the engine takes."""


@dataclass(frozen=True)
class _Native:
    """How a layer's pixels lie and can be sent. bands: empty when they go in the style's colours."""

    grid: Grid
    bands: tuple[SentBand, ...]
    dtype: str
    notes: tuple[str, ...]


def plan_layer(choice: LayerPixels, place: Place, project: QgsProject, canvas: QgsMapCanvas | None) -> Plan:
    """A scene of the layer's pixels at the place. Raises PixelError when there are none, or too many."""
    return plan_raster(_layer(choice, project), choice, place, project.transformContext(), canvas)


def plan_raster(
    layer: QgsRasterLayer,
    choice: LayerPixels,
    place: Place,
    context: QgsCoordinateTransformContext,
    canvas: QgsMapCanvas | None,
) -> Plan:
    """The same of a layer that is in no project; in the layer's own thread. Raises PixelError."""
    if not layer.crs().isValid():
        return _plan_in_pixels(choice, place, layer)
    carried = _carried(place, layer, context)
    file = file_of(layer)
    if file is None and not _has_size(layer):
        grid, said = service_grid(choice, layer, carried, context, canvas)
        native = _Native(grid, (), "uint8", ())
    else:
        native, said = _native(choice, layer, file), ""
    window = _window(native.grid, carried, layer)
    grid = native.grid.part(window)
    if not said:
        native_m = pixel_m(grid, layer.crs(), context)
        grid, said, notes = _at_resolution(grid, choice.resolution, native_m, layer)
        native = _Native(native.grid, native.bands, native.dtype, (*native.notes, *notes))
    check_size(grid)
    ground_m, gsd_m = measured(grid, layer.crs(), context)
    area = area_of(place, carried, grid, layer.crs(), context)
    own = bool(native.bands) or (grid.width, grid.height) == (window.width, window.height)
    parts = parts_to_send(grid, carried, area, WINDOW_PX if own else WINDOW_PX // 2)
    spec = SceneSpec(
        name=layer.name(),
        width=grid.width,
        height=grid.height,
        crs_wkt=wkt_of(layer.crs()),
        affine=grid.affine,
        bands=len(native.bands) or 3,
        dtype=native.dtype,
        datetime=acquired(layer),
        sparse=sum(part.width * part.height for part in parts) < grid.width * grid.height,
    )
    make = _maker(spec, grid, parts, native, window, layer, file)
    return Plan(Preview(spec, area, ground_m, gsd_m, said, native.notes), make)


def _plan_in_pixels(choice: LayerPixels, place: Place, layer: QgsRasterLayer) -> Plan:
    """A layer without CRS: only all of it, in pixel space."""
    if place.crs.isValid():
        raise PixelError(
            tr(
                'The layer "{layer}" has no coordinate reference system. Set one in its properties, or ask about the '
                "whole layer to get boxes in pixels."
            ).format(layer=layer.name())
        )
    if choice.resolution is not None:
        raise PixelError(
            tr(
                'The layer "{layer}" has no coordinate reference system, so metres per px mean nothing in it. Ask at '
                "its native resolution, or set a coordinate reference system in its properties."
            ).format(layer=layer.name())
        )
    file = file_of(layer)
    native = _native(choice, layer, file)
    grid = native.grid
    check_size(grid)
    spec = SceneSpec(
        name=layer.name(),
        width=grid.width,
        height=grid.height,
        crs_wkt=None,
        affine=None,
        bands=len(native.bands) or 3,
        dtype=native.dtype,
        datetime=acquired(layer),
    )
    make = _maker(spec, grid, tuple(grid.parts()), native, Part(0, 0, grid.width, grid.height), layer, file)
    note = tr('"{layer}" has no coordinate reference system: boxes come in pixels, without sizes.').format(
        layer=layer.name()
    )
    return Plan(Preview(spec, None, None, None, tr("its own pixels"), (note, *native.notes)), make)


def _layer(choice: LayerPixels, project: QgsProject) -> QgsRasterLayer:
    layer = project.mapLayer(choice.layer_id)
    if not isinstance(layer, QgsRasterLayer):
        raise PixelError(
            tr("The raster layer is not in the project any more. Choose another one, then ask again.")
        )
    if not layer.isValid() or layer.dataProvider() is None:
        raise PixelError(
            tr(
                'The source of the layer "{layer}" is gone. Repair the layer or choose another one, then ask again.'
            ).format(layer=layer.name())
        )
    return layer


def _carried(place: Place, layer: QgsRasterLayer, context: QgsCoordinateTransformContext) -> QgsGeometry:
    if not place.crs.isValid():
        raise PixelError(
            tr("The place has no coordinate reference system. Set one in the project's properties.")
        )
    middle = layer.extent().center().x()
    return carry(
        place.polygons, place.crs, layer.crs(), context, middle if layer.crs().isGeographic() else None
    )


def _has_size(layer: QgsRasterLayer) -> bool:
    return (
        bool(layer.dataProvider().capabilities() & QgsRasterInterface.Capability.Size) and layer.width() > 0
    )


def _native(choice: LayerPixels, layer: QgsRasterLayer, file: RasterFile | None) -> _Native:
    """The file's own grid for pixels as measured; the provider's, which is north up, for those in colours."""
    provider = layer.dataProvider()
    notes: tuple[str, ...] = ()
    if file is not None and not choice.styled:
        numbers = choice.bands or _shown_bands(layer)
        dtype = _common_dtype(numbers, file) if numbers else None
        if choice.bands is not None:
            _check_bands(choice.bands, dtype, file, layer)
        if dtype is not None:
            if file.control_points:
                notes = (
                    tr(
                        '{n} control points place "{layer}"; its pixels are sent laid out north up, as QGIS shows them.'
                    ).format(n=file.control_points, layer=layer.name()),
                )
            return _Native(file.grid, tuple(_sent(number, layer) for number in numbers), dtype, notes)
    if choice.bands is not None:
        raise PixelError(
            tr(
                'The layer "{layer}" is not a file whose bands can be chosen. Ask with the colours of its style.'
            ).format(layer=layer.name())
        )
    if file is not None and not choice.styled:
        notes = (
            tr(
                '"{layer}" is sent in the colours of its style: its values are no plain 8 or 16 bit colours.'
            ).format(layer=layer.name()),
        )
    extent = layer.extent()
    across, down = extent.width() / provider.xSize(), extent.height() / provider.ySize()
    affine = (across, 0.0, extent.xMinimum(), 0.0, -down, extent.yMaximum())
    return _Native(Grid(provider.xSize(), provider.ySize(), affine), (), "uint8", notes)


def _shown_bands(layer: QgsRasterLayer) -> tuple[int, ...]:
    """The bands its style shows as red, green and blue, or as grey; empty where colours come from a table or a ramp."""
    kind, bands = layer.renderer().type(), tuple(layer.renderer().usesBands())
    return bands if (kind, len(bands)) in (("multibandcolor", 3), ("singlebandgray", 1)) else ()


def _common_dtype(numbers: tuple[int, ...], file: RasterFile) -> str | None:
    """The one data type of all the bands; None when they have several, or one the engine does not take."""
    found = {file.dtypes[number - 1] if number <= len(file.dtypes) else None for number in numbers}
    return found.pop() if len(found) == 1 else None


def _check_bands(
    numbers: tuple[int, ...], dtype: str | None, file: RasterFile, layer: QgsRasterLayer
) -> None:
    if max(numbers) > len(file.dtypes) or len(numbers) > MAX_BANDS:
        raise PixelError(
            tr(
                'Bands {bands} were chosen; "{layer}" has {n}, and up to {most} can be sent. Choose among those.'
            ).format(
                bands=", ".join(map(str, numbers)),
                layer=layer.name(),
                n=len(file.dtypes),
                most=MAX_BANDS,
            )
        )
    if dtype is None:
        raise PixelError(
            tr(
                'Bands {bands} of "{layer}" are not all 8 bit or all 16 bit unsigned numbers. Choose others, or ask '
                "with the colours of its style."
            ).format(bands=", ".join(map(str, numbers)), layer=layer.name())
        )


def _sent(number: int, layer: QgsRasterLayer) -> SentBand:
    provider = layer.dataProvider()
    return SentBand(
        number,
        not provider.sourceHasNoDataValue(number) or provider.useSourceNoDataValue(number),
        tuple((one.min(), one.max()) for one in provider.userNoDataValues(number)),
    )


def _window(grid: Grid, carried: QgsGeometry, layer: QgsRasterLayer) -> Part:
    window = grid.part_around(points_of(carried))
    if window is None or not carried.intersects(polygon_of(grid.corners())):
        raise OutsideError(
            tr(
                'The place lies outside the layer "{layer}". Zoom to the layer, or choose another place.'
            ).format(layer=layer.name())
        )
    return window


def _at_resolution(
    grid: Grid, wanted_m: float | None, native_m: float, layer: QgsRasterLayer
) -> tuple[Grid, str, tuple[str, ...]]:
    """The grid at the wanted resolution, a sentence about it, and notes."""
    native = tr('{gsd:.3g} m per px, native to "{layer}"').format(gsd=native_m, layer=layer.name())
    if wanted_m is None or math.isclose(wanted_m, native_m, rel_tol=0.005):
        return grid, native, ()
    if wanted_m < native_m:
        note = tr(
            '{wanted:.3g} m per px was chosen; "{layer}" has {native:.3g} m per px, and that is sent.'
        ).format(wanted=wanted_m, layer=layer.name(), native=native_m)
        return grid, native, (note,)
    return (
        grid.coarser(wanted_m / native_m),
        tr("{gsd:.3g} m per px, as chosen").format(gsd=wanted_m),
        (),
    )


def _maker(
    spec: SceneSpec,
    grid: Grid,
    parts: tuple[Part, ...],
    native: _Native,
    window: Part,
    layer: QgsRasterLayer,
    file: RasterFile | None,
) -> Callable[[], PixelSource]:
    def make() -> PixelSource:
        if native.bands and file is not None:
            return FileSource(spec, file.uri, native.bands, window, parts)
        copy = layer.clone()
        if copy is None or not copy.isValid():
            raise PixelError(
                tr(
                    'The source of the layer "{layer}" is gone. Repair the layer or choose another one, then ask again.'
                ).format(layer=layer.name())
            )
        own = (spec.width, spec.height) == (window.width, window.height)
        return StyledSource(spec, grid, parts, copy, 1 if own else RESAMPLED_TIMES)

    return make
