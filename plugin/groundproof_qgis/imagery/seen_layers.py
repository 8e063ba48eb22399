"""The layers that make what the map shows, and copies of them to draw from.

Knows the canvas, map themes and our own result layers. Refuses to know places and pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsGeometry,
    QgsMapLayer,
    QgsMapLayerStyle,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.what import Seen
from groundproof_qgis.layers.group import LAYER_PROPERTY, is_ours


def seen_layers(choice: Seen, project: QgsProject, canvas: QgsMapCanvas | None) -> list[QgsMapLayer]:
    """The layers drawn, topmost first, without our own. Raises PixelError when there are none."""
    if choice.theme is not None:
        if not project.mapThemeCollection().hasMapTheme(choice.theme):
            raise PixelError(
                tr('The project has no map theme "{theme}". Choose another one.').format(theme=choice.theme)
            )
        layers = project.mapThemeCollection().mapThemeVisibleLayers(choice.theme)
    elif canvas is not None:
        layers = canvas.layers()
    else:
        layers = [layer for layer in project.layerTreeRoot().layerOrder() if _is_checked(project, layer)]
    scale = None if canvas is None else canvas.scale()
    seen = [
        layer
        for layer in layers
        if layer.isValid()
        and layer.isSpatial()
        and not _is_left_out(layer, project)
        and (scale is None or layer.isInScaleRange(scale))
    ]
    if not seen:
        raise PixelError(
            tr("Nothing is visible on the map. Add imagery or switch a layer on, then ask again.")
        )
    return seen


def _is_left_out(layer: QgsMapLayer, project: QgsProject) -> bool:
    """Whether a layer is ours, or was put among ours.

    Imagery in our group is imagery: QGIS adds new layers beside the current one, which may be a result.
    """
    if is_ours(layer) or isinstance(layer, QgsRasterLayer):
        return is_ours(layer)
    node = project.layerTreeRoot().findLayer(layer.id())
    while node is not None:
        if node.customProperty(LAYER_PROPERTY):
            return True
        node = node.parent()
    return False


def style_overrides(choice: Seen, project: QgsProject, canvas: QgsMapCanvas | None) -> dict[str, str]:
    """Styles (QML) by layer id, where a map theme shows layers in others than their current ones."""
    if choice.theme is not None:
        return dict(project.mapThemeCollection().mapThemeStyleOverrides(choice.theme))
    return {} if canvas is None else dict(canvas.mapSettings().layerStyleOverrides())


def copies(layers: Sequence[QgsMapLayer], styles: dict[str, str]) -> list[QgsMapLayer]:
    """Copies that draw the same, wherever and in which pieces they are drawn. styles: QML by layer id, of a theme.

    Raises PixelError for a layer that cannot be copied.
    """
    copied = []
    for layer in layers:
        copy = layer.clone()
        if copy is None or not copy.isValid():
            raise PixelError(
                tr(
                    'The layer "{layer}" cannot be copied: its source is gone. Repair it or switch it off, then '
                    "ask again."
                ).format(layer=layer.name())
            )
        if layer.id() in styles:
            QgsMapLayerStyle(styles[layer.id()]).writeToLayer(copy)
        copy.setScaleBasedVisibility(False)  # what is seen was decided at the canvas's scale
        if isinstance(copy, QgsRasterLayer):
            _stretch_once(copy)
        copied.append(copy)
    return copied


def widened(
    layers: list[QgsMapLayer],
    carried: QgsGeometry,
    crs: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
) -> list[QgsMapLayer]:
    """The copies, rasters among them made to reach around the place; beyond their own extent they hold nothing.

    QGIS stretches a raster whose edge is in the picture by up to a pixel, to whole pixels of the picture; the edge
    outside the picture leaves all pixels where they are. carried: the place, in `crs`.
    """
    around = carried.boundingBox()
    around.grow(around.width() + around.height())
    for layer in layers:
        if not isinstance(layer, QgsRasterLayer):
            continue
        try:
            reached = QgsCoordinateTransform(crs, layer.crs(), context).transformBoundingBox(around)
        except (
            QgsCsException
        ):  # the place has no edge in the layer's CRS, so the layer has none in the picture
            continue
        if reached.isFinite():
            reached.combineExtentWith(layer.extent())
            layer.setExtent(reached)
    return layers


def _is_checked(project: QgsProject, layer: QgsMapLayer) -> bool:
    node = project.layerTreeRoot().findLayer(layer.id())
    return node is not None and node.isVisible()


def _stretch_once(layer: QgsRasterLayer) -> None:
    """One stretch for all windows, that which is on the canvas."""
    renderer = layer.renderer()
    if renderer is not None:
        origin = QgsRasterMinMaxOrigin(renderer.minMaxOrigin())
        if origin.extent() == QgsRasterMinMaxOrigin.Extent.UpdatedCanvas:
            origin.setExtent(QgsRasterMinMaxOrigin.Extent.CurrentCanvas)
            renderer.setMinMaxOrigin(origin)
