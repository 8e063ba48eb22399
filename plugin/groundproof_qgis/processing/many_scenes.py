"""The scenes of one run of "Ask many scenes": layers and files, each frozen when its turn comes.

Knows Processing's spellings of many layers, folders and QGIS's raster layers. Refuses to know the engine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingUtils,
    QgsProperty,
    QgsRasterLayer,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.freeze import Frozen, freeze_raster
from groundproof_qgis.imagery.raster_file import open_raster
from groundproof_qgis.imagery.what import LayerPixels
from groundproof_qgis.processing.host import Host
from groundproof_qgis.processing.many_places import Places

MANY_PATTERNS = ";"
STATISTICS = ".aux.xml"
"""What QGIS writes beside a raster that it opens; never a scene."""
_LOGIN = re.compile(r"://[^/?#\s]+@")


@dataclass(frozen=True)
class Pixels:
    """What of every scene is sent; see `LayerPixels`."""

    resolution: float | None
    bands: tuple[int, ...] | None
    styled: bool

    def check(self) -> None:
        """Raises ValueError for what no layer could be asked for."""
        LayerPixels("", self.resolution, self.bands, self.styled)

    def of(self, layer: QgsRasterLayer) -> LayerPixels:
        """The choice for one layer."""
        return LayerPixels(layer.id(), self.resolution, self.bands, self.styled)


@dataclass(frozen=True)
class Ready:
    """A scene whose pixels can be read. touched: numbers of the polygons that it shows; none without polygons."""

    frozen: Frozen
    touched: frozenset[int]


@dataclass(frozen=True)
class Scene:
    """One of many. name: short. source: a path, or what the layer says of itself without passwords.

    freeze: makes its pixels readable, in the thread that reads them. Raises PixelError; OutsideError where no polygon
    touches it. frozen: what was copied of it already, on the main thread.
    """

    name: str
    source: str
    freeze: Callable[[], Ready]
    frozen: Frozen | None = None


def listed(given: Any, folder: str, pattern: str, context: QgsProcessingContext) -> list[Any]:
    """Layers and paths that were asked for, in order.

    given: the value of a parameter for many layers. folder, pattern: files to add, "" for none; patterns are split at
    ";", and "**/" stands for folders at any depth. Raises QgsProcessingException when there are none.
    """
    found = [*_values(given, context), *_files(folder, pattern)]
    if not found:
        raise QgsProcessingException(
            tr("No scenes were given. Choose layers or files, or a folder and a pattern such as *.tif.")
        )
    return found


def scenes_of(
    wanted: Iterable[Any], pixels: Pixels, places: Places, context: QgsProcessingContext, host: Host
) -> list[Scene]:
    """A scene for each of what `listed` gave. On the main thread; files are opened later.

    What cannot be asked about, or is there twice, says so when it is frozen.
    """
    scenes: list[Scene] = []
    seen: set[str] = set()
    transforms = context.transformContext()
    for one in wanted:
        layer = one if isinstance(one, QgsMapLayer) else _loaded(one, context)
        source = one if layer is None else layer.source()
        file = os.path.realpath(source.split("|")[0])
        key = file if layer is None or Path(file).exists() else layer.id()
        name = (Path(one).stem or one) if layer is None else (layer.name() or layer.id())
        shown = without_login(one if layer is None else layer.publicSource())
        if key in seen:
            again = PixelError(tr("{name} was given twice; it is asked about once.").format(name=shown))
            scenes.append(Scene(name, shown, _raising(again)))
        elif layer is None:
            scenes.append(Scene(name, shown, _opened_later(one, pixels, places, transforms)))
        else:
            scenes.append(_frozen_now(name, shown, layer, pixels, places, transforms, host.canvas))
        seen.add(key)
    return scenes


def without_login(text: str) -> str:
    """Without user and password in the addresses that it holds."""
    return _LOGIN.sub("://", text)


def _values(given: Any, context: QgsProcessingContext) -> Iterator[Any]:
    """Layers and texts, one by one."""
    if isinstance(given, QgsProperty):
        given, _ = given.value(context.expressionContext(), None)
    if isinstance(given, (list, tuple)):
        for one in given:
            yield from _values(one, context)
    elif isinstance(given, (QgsMapLayer, Path)):
        yield given if isinstance(given, QgsMapLayer) else str(given)
    elif isinstance(given, str):
        if given.strip():
            yield given
    elif given is not None:
        raise QgsProcessingException(
            tr("{value} is neither a raster layer nor a file.").format(value=repr(given)[:200])
        )


def _files(folder: str, pattern: str) -> Iterable[str]:
    """Files of the folder that fit a pattern, each once, sorted."""
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise QgsProcessingException(tr("The folder {path} does not exist.").format(path=folder))
    found: set[str] = set()
    for one in filter(None, map(str.strip, pattern.split(MANY_PATTERNS))):
        try:
            fits = (path for path in Path(folder).glob(one) if path.is_file())
            found.update(str(path) for path in fits if not path.name.endswith(STATISTICS))
        except (ValueError, NotImplementedError, OSError) as err:
            raise QgsProcessingException(
                tr(
                    "The pattern {pattern} cannot be used: {reason}. Give one such as *.tif or **/*.tif."
                ).format(pattern=one, reason=err)
            ) from err
    if not found:
        raise QgsProcessingException(
            tr("No file in {folder} fits {pattern}.").format(folder=folder, pattern=pattern or '""')
        )
    return sorted(found)


def _loaded(text: str, context: QgsProcessingContext) -> QgsMapLayer | None:
    """A layer that is there already: of the project, or of an earlier step of a model."""
    return QgsProcessingUtils.mapLayerFromString(text, context, False)


def _raising(error: PixelError) -> Callable[[], Ready]:
    def freeze() -> Ready:
        raise error

    return freeze


def _frozen_now(
    name: str,
    shown: str,
    layer: QgsMapLayer,
    pixels: Pixels,
    places: Places,
    transforms: QgsCoordinateTransformContext,
    canvas: QgsMapCanvas | None,
) -> Scene:
    """Of a layer, which may change or go while others are asked about: what is needed of it is copied now."""
    try:
        if not isinstance(layer, QgsRasterLayer):
            raise PixelError(tr('"{layer}" is no raster layer.').format(layer=layer.name()))
        ready = _frozen(layer, pixels, places, transforms, canvas)
    except PixelError as err:
        return Scene(name, shown, _raising(err))
    return Scene(name, shown, lambda: ready, ready.frozen)


def _opened_later(
    path: str, pixels: Pixels, places: Places, transforms: QgsCoordinateTransformContext
) -> Callable[[], Ready]:
    """Of a file: opened when its turn comes, so that thousands are never open together."""

    def freeze() -> Ready:
        options = QgsRasterLayer.LayerOptions(
            False, transforms
        )  # as Processing loads a file: without its .qml
        options.skipCrsValidation = True  # no dialog asks for the CRS of one that has none
        layer = QgsRasterLayer(path, Path(path).stem or path, "gdal", options)
        if not layer.isValid():
            if ":" not in path and not path.startswith("/vsi") and not Path(path.split("|")[0]).exists():
                raise PixelError(tr("{path} is not there.").format(path=path))
            open_raster(path)  # raises with GDAL's own reason
            raise PixelError(tr("{path} is no raster that QGIS can read.").format(path=path))
        return _frozen(layer, pixels, places, transforms, None)

    return freeze


def _frozen(
    layer: QgsRasterLayer,
    pixels: Pixels,
    places: Places,
    transforms: QgsCoordinateTransformContext,
    canvas: QgsMapCanvas | None,
) -> Ready:
    if layer.isValid() and not layer.crs().isValid():
        raise PixelError(
            tr(
                '"{layer}" has no coordinate reference system. Set one, or ask about it alone with "Ask imagery": it '
                "gives boxes in pixels then."
            ).format(layer=layer.name())
        )
    place, touched = places.of(layer, transforms)
    return Ready(freeze_raster(layer, pixels.of(layer), place, transforms, canvas), touched)
