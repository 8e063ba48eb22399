"""A result dragged into any QGIS, without the plugin: what people read comes first, under names they can read."""

from __future__ import annotations

import pytest
from qgis.core import QgsVectorLayer

from tests.plugin.results import result

FIRST = {
    "evidence": ["number", "what it is", "verdict", "review", "width, m", "height, m", "area, m²", "score"],
    "answers": ["number", "question", "answer"],
    "tiles": ["status", "boxes", "the model's text"],
    "scenes": ["image", "file"],
}
MACHINES = {
    "evidence": {"fid", "run_id", "tile_ids", "parents", "box_px", "text_start"},
    "answers": {"fid", "run_id", "value", "coverage", "audit", "context"},
    "tiles": {"fid", "tile_id", "window_px", "pixels_hash"},
    "scenes": {"fid", "content_id", "crs_wkt", "affine", "gcps"},
}


@pytest.mark.parametrize("kind", list(FIRST))
def test_what_people_read_comes_first_and_what_machines_need_is_hidden(kind, tmp_path, qgis_app):
    layer = QgsVectorLayer(f"{result(tmp_path)}|layername={kind}", kind, "ogr")
    columns = [one for one in layer.attributeTableConfig().columns() if one.name]
    shown = [one.name for one in columns if not one.hidden]
    hidden = {one.name for one in columns if one.hidden}
    assert [layer.attributeDisplayName(layer.fields().indexOf(name)) for name in shown][
        : len(FIRST[kind])
    ] == FIRST[kind]
    assert hidden >= MACHINES[kind]
    assert {one.name for one in columns} == {field.name() for field in layer.fields()}
    for name in MACHINES[kind]:
        assert layer.editorWidgetSetup(layer.fields().indexOf(name)).type() == "Hidden"


def test_the_review_is_still_chosen_from_a_list(tmp_path, qgis_app):
    layer = QgsVectorLayer(f"{result(tmp_path)}|layername=evidence", "e", "ogr")
    widgets = {
        name: layer.editorWidgetSetup(layer.fields().indexOf(name)).type() for name in ("review", "quote")
    }
    assert widgets == {"review": "ValueMap", "quote": "TextEdit"}
