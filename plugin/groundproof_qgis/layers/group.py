"""Where results lie in a project: the group "groundproof", a subgroup for each run, and how each layer is known again.

Knows the layer tree and the properties that survive saving. Refuses to know what is in the layers.
"""

from __future__ import annotations

from collections.abc import Iterator

from qgis.core import QgsLayerTreeGroup, QgsLayerTreeLayer, QgsMapLayer, QgsProject

GROUP = "groundproof"
LAYER_PROPERTY = "groundproof/layer"
"""Of groups and layers: what it is (group, run, live, evidence, answers, tiles, scenes, compare)."""
RUN_PROPERTY = "groundproof/run"
"""Of subgroups and layers: the run they belong to."""

MAX_TITLE = 60


def result_group(project: QgsProject) -> QgsLayerTreeGroup:
    """The group of all results, made on top of the layers where there is none. Renamed or moved, it is found again."""
    root = project.layerTreeRoot()
    for group in root.findGroups(True):
        if group.customProperty(LAYER_PROPERTY) == "group":
            return group
    group = root.insertGroup(0, GROUP)
    group.setCustomProperty(LAYER_PROPERTY, "group")
    return group


def run_group(project: QgsProject, run_id: str, title: str) -> QgsLayerTreeGroup:
    """The subgroup of one run, the newest on top."""
    group = find_run_group(project, run_id)
    if group is None:
        group = result_group(project).insertGroup(0, title)
        group.setCustomProperty(LAYER_PROPERTY, "run")
        group.setCustomProperty(RUN_PROPERTY, run_id)
    return group


def find_run_group(project: QgsProject, run_id: str) -> QgsLayerTreeGroup | None:
    """The subgroup of one run, wherever it was moved to."""
    for group in project.layerTreeRoot().findGroups(True):
        if group.customProperty(RUN_PROPERTY) == run_id:
            return group
    return None


def show_only(project: QgsProject, run_id: str) -> None:
    """Switch one run's subgroup on and all others off: boxes of two runs over each other cannot be told apart."""
    for group in project.layerTreeRoot().findGroups(True):
        if group.customProperty(RUN_PROPERTY):
            is_it = group.customProperty(RUN_PROPERTY) == run_id
            group.setItemVisibilityChecked(is_it)
            group.setExpanded(is_it)


def run_title(question: str, when: str) -> str:
    """What a run's subgroup is called: the beginning of its question, and when it was asked."""
    words = " ".join(question.split())
    if len(words) > MAX_TITLE:
        words = words[: MAX_TITLE - 1].rstrip() + "…"
    return f"{words} ({when})"


def add_layer(
    project: QgsProject,
    layer: QgsMapLayer,
    kind: str,
    run_id: str,
    group: QgsLayerTreeGroup,
    *,
    visible: bool = True,
    expanded: bool = False,
) -> QgsLayerTreeLayer:
    """Put a layer at the end of a group, marked as ours. The project owns it from then on.

    expanded: its legend is open.
    """
    layer.setCustomProperty(LAYER_PROPERTY, kind)
    layer.setCustomProperty(RUN_PROPERTY, run_id)
    project.addMapLayer(layer, False)
    node = group.addLayer(layer)
    node.setItemVisibilityChecked(visible)
    node.setExpanded(expanded)
    return node


def is_ours(layer: QgsMapLayer) -> bool:
    """Whether a layer is part of a result: such layers are never imagery to ask about."""
    return layer.customProperty(LAYER_PROPERTY) is not None


def layers_of(
    project: QgsProject, run_id: str | None = None, kind: str | None = None
) -> Iterator[QgsMapLayer]:
    """Our layers; of one run, of one kind."""
    for layer in project.mapLayers().values():
        if is_ours(layer) and (
            (run_id is None or layer.customProperty(RUN_PROPERTY) == run_id)
            and (kind is None or layer.customProperty(LAYER_PROPERTY) == kind)
        ):
            yield layer


def remove_layers(project: QgsProject, run_id: str, kind: str | None = None) -> None:
    """Take a run's layers (of one kind) out of the project, and its subgroup with the last of them."""
    project.removeMapLayers([layer.id() for layer in layers_of(project, run_id, kind)])
    group = find_run_group(project, run_id)
    if group is not None and not group.findLayers() and kind is None:
        group.parent().removeChildNode(group)
