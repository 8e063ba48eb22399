"""The moment of the click: from choices and a place to a scene that nothing changes any more.

Knows which plan belongs to which choice. Refuses to know the engine and the dock.
"""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import QgsProject
from qgis.gui import QgsMapCanvas

from groundproof_qgis.imagery.layer_pixels import plan_layer
from groundproof_qgis.imagery.place import Place
from groundproof_qgis.imagery.plan import Plan, Preview
from groundproof_qgis.imagery.scene import PixelSource
from groundproof_qgis.imagery.seen import plan_seen
from groundproof_qgis.imagery.what import Pixels, Seen


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


def _plan(choice: Pixels, place: Place, project: QgsProject, canvas: QgsMapCanvas | None) -> Plan:
    if isinstance(choice, Seen):
        return plan_seen(choice, place, project, canvas)
    return plan_layer(choice, place, project, canvas)
