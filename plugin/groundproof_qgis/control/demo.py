"""The demo scene that comes with the plugin.

Knows its file. Refuses to know what is asked about it.
"""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProject, QgsRasterLayer
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr

SCENE = Path(__file__).parents[1] / "demo" / "scene.tif"


def open_demo(project: QgsProject, canvas: QgsMapCanvas) -> None:
    """Add it below the results, whichever layer is current, and look at it in its own CRS."""
    layer = QgsRasterLayer(str(SCENE), tr("groundproof demo scene"))
    project.addMapLayer(layer, False)
    project.layerTreeRoot().addLayer(layer)
    canvas.setDestinationCrs(layer.crs())
    project.setCrs(layer.crs())
    canvas.setExtent(layer.extent())
    canvas.refresh()
