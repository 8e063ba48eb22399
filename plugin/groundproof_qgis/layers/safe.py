"""What a result's file brings with it, made harmless: files come from other people and from engines elsewhere.

Knows what a style in a GeoPackage can hold beside colours: Python that runs when a form opens, actions, pages and
pictures from the internet. Keeps colours and lists of choices; refuses everything else and puts our own in its place.
"""

from __future__ import annotations

from qgis.core import (
    QgsEditFormConfig,
    QgsEditorWidgetSetup,
    QgsFeatureRenderer,
    QgsRenderContext,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)

from groundproof_qgis.layers import look

_RENDERERS = frozenset({"categorizedSymbol", "singleSymbol"})
_SYMBOL_LAYERS = frozenset({"SimpleLine", "SimpleFill"})
"""Others draw pictures, which may lie anywhere, or call for them with each repaint."""
_WIDGETS = frozenset({"ValueMap", "Hidden"})
"""Others show the model's words as HTML, or load what an address names."""


def made_safe(layer: QgsVectorLayer, kind: str) -> None:
    """For a layer whose style came with its file. kind: evidence, tiles, answers or scenes."""
    layer.actions().clearActions()
    layer.setEditFormConfig(QgsEditFormConfig())
    for i in range(layer.fields().count()):
        kept = layer.editorWidgetSetup(i).type()
        if kept == "TextEdit":
            layer.setEditorWidgetSetup(i, QgsEditorWidgetSetup(kept, {"IsMultiline": True, "UseHtml": False}))
        elif kept not in _WIDGETS:
            layer.setEditorWidgetSetup(i, QgsEditorWidgetSetup())  # QGIS chooses by the column's type
    if not _is_plain(layer.renderer()):
        layer.setRenderer(QgsSingleSymbolRenderer(look.outline(*look.VERDICTS["unchecked"])))
    if kind == "evidence":
        look.label(layer)
    else:
        layer.setLabelsEnabled(False)
    layer.setDiagramRenderer(None)
    layer.setDisplayExpression(look.NAMES[kind])
    layer.setMapTipTemplate(look.map_tip(*look.TIPS[kind]))


def _is_plain(renderer: QgsFeatureRenderer | None) -> bool:
    """Whether it draws nothing but outlines and hatches."""
    return (
        renderer is not None
        and renderer.type() in _RENDERERS
        and all(
            one.layerType() in _SYMBOL_LAYERS
            for symbol in renderer.symbols(QgsRenderContext())
            for one in symbol.symbolLayers()
        )
    )
