"""How outputs look when Processing loads them: in our styles instead of random colours.

Knows Processing's list of layers to load. Refuses to know files.
"""

from __future__ import annotations

from typing import Any, Callable

from qgis.core import QgsProcessingContext, QgsProcessingLayerPostProcessorInterface, QgsVectorLayer

from groundproof_qgis.layers import compare
from groundproof_qgis.layers.group import LAYER_PROPERTY
from groundproof_qgis.layers.safe import made_safe


class Dresser(QgsProcessingLayerPostProcessorInterface):
    """Styles one kind of output, and marks it, so that it is never part of a picture that is asked about."""

    def __init__(self, kind: str, dress: Callable[[QgsVectorLayer], object]) -> None:
        super().__init__()
        self._kind, self._dress = kind, dress

    def postProcessLayer(self, layer: Any, context: Any, feedback: Any) -> None:  # noqa: N802 - QGIS's name
        """On the main thread, before the layer is shown."""
        if isinstance(layer, QgsVectorLayer):
            self._dress(layer)
            layer.setCustomProperty(LAYER_PROPERTY, self._kind)


def _dress_evidence(layer: QgsVectorLayer) -> None:
    layer.loadDefaultStyle()
    made_safe(layer, "evidence")


_EVIDENCE = Dresser("evidence", _dress_evidence)
_CHANGES = Dresser("compare", compare.dress)
"""Kept for ever: Processing holds no reference of its own."""


def load_table(context: QgsProcessingContext, destination: str, name: str) -> str:
    """If Processing was to load a destination, it loads this table of it, in the style that lies in the file.

    Gives the table's URI.
    """
    uri = f"{destination}|layername={name}"
    loads = dict(context.layersToLoadOnCompletion())
    if destination in loads:
        loads[uri] = loads.pop(destination)
        loads[uri].setPostProcessor(_EVIDENCE)
        context.setLayersToLoadOnCompletion(loads)
    return uri


def dress_when_loaded(context: QgsProcessingContext, made: str) -> None:
    """If Processing is to load this comparison, in its colours."""
    if context.willLoadLayerOnCompletion(made):
        context.layerToLoadOnCompletionDetails(made).setPostProcessor(_CHANGES)
