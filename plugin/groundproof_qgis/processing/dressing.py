"""How outputs look when Processing loads them: in our styles instead of random colours.

Knows Processing's list of layers to load. Refuses to know files.
"""

from __future__ import annotations

from typing import Any, Callable

from qgis.core import QgsProcessingContext, QgsProcessingLayerPostProcessorInterface, QgsVectorLayer
from qgis.PyQt import sip

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


_KEPT: list[Dresser] = []


def _dresser(kind: str, dress: Callable[[QgsVectorLayer], object]) -> Dresser:
    """One for each layer: QGIS deletes it with the context of the run, and until then holds no reference to it."""
    _KEPT[:] = [one for one in _KEPT if not sip.isdeleted(one)]
    _KEPT.append(Dresser(kind, dress))
    return _KEPT[-1]


def load_table(context: QgsProcessingContext, destination: str, name: str) -> str:
    """If Processing was to load a destination, it loads this table of it, in the style that lies in the file.

    Gives the table's URI.
    """
    uri = f"{destination}|layername={name}"
    loads = dict(context.layersToLoadOnCompletion())
    if destination in loads:
        loads[uri] = loads.pop(destination)
        loads[uri].setPostProcessor(_dresser("evidence", _dress_evidence))
        context.setLayersToLoadOnCompletion(loads)
    return uri


def dress_when_loaded(context: QgsProcessingContext, made: str) -> None:
    """If Processing is to load this comparison, in its colours."""
    if context.willLoadLayerOnCompletion(made):
        details = context.layerToLoadOnCompletionDetails(made)
        details.setPostProcessor(_dresser("compare", compare.dress))
