"""The moment of the click: from choices and a place to a scene that nothing changes any more.

Knows which plan belongs to which choice. Refuses to know the engine and the dock.
"""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import QgsCoordinateTransformContext, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapCanvas

from groundproof_qgis.imagery.layer_pixels import plan_layer, plan_raster
from groundproof_qgis.imagery.place import Place
from groundproof_qgis.imagery.plan import Plan, Preview
from groundproof_qgis.imagery.scene import PixelSource
from groundproof_qgis.imagery.seen import plan_seen
from groundproof_qgis.imagery.what import LayerPixels, Pixels, Seen


@dataclass(frozen=True)
class Frozen(Preview):
    """A preview come true. source: of the pixels; whoever has it closes it."""

    source: PixelSource


def preview(choice: Pixels, place: Place, project: QgsProject, canvas: QgsMapCanvas | None = None) -> Preview:
    """What `freeze` would make, without copying anything. On the main thread. Raises PixelError with a sentence."""
    return _plan(choice, place, project, canvas).preview


def freeze(choice: Pixels, place: Place, project: QgsProject, canvas: QgsMapCanvas | None = None) -> Frozen:
    """Copy what the choice needs, on the main thread. Raises PixelError with a sentence."""
    plan = _plan(choice, place, project, canvas)
    return Frozen(**vars(plan.preview), source=plan.make())


def freeze_raster(
    layer: QgsRasterLayer,
    choice: LayerPixels,
    place: Place,
    context: QgsCoordinateTransformContext,
    canvas: QgsMapCanvas | None = None,
) -> Frozen:
    """The same of a layer that is in no project, in the thread it was made in. Raises PixelError with a sentence."""
    plan = plan_raster(layer, choice, place, context, canvas)
    return Frozen(**vars(plan.preview), source=plan.make())


def _plan(choice: Pixels, place: Place, project: QgsProject, canvas: QgsMapCanvas | None) -> Plan:
    if isinstance(choice, Seen):
        return plan_seen(choice, place, project, canvas)
    return plan_layer(choice, place, project, canvas)
