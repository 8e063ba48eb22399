"""Two runs compared on the map."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
from qgis.core import QgsExpression, QgsExpressionContext, QgsExpressionContextUtils, QgsProject
from qgis.PyQt.QtCore import QCoreApplication

from groundproof_qgis.layers import group
from groundproof_qgis.layers.compare import ask_for_difference, differences, drawn, show_differences, summary
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.tables import read_tables
from tests.plugin.engine_waiting import in_worker
from tests.plugin.results import result


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


def item(name, verdict="unchecked"):
    return {"evidence_id": name, "label": "airplane", "image": 0, "box_px": [0, 0, 1, 1], "verdict": verdict}


def changed(before, after, moved_m=None, **what):
    return {"before": item(before), "after": item(after), "what": what, "moved_m": moved_m}


DOCUMENT = {
    "is_empty": False,
    "answers": [
        {
            "scene": "field",
            "question": "How many airplanes are there?",
            "answer_ids": ["A1", "A1"],
            "kept": [["E1", "E1"]],
            "added": [item("E2")],
            "removed": [item("E3")],
            "outside": {"before": [item("E8")], "after": [item("E9")]},
            "changed": [
                changed("E4", "E5", 2.34, box_px=[[0, 0, 1, 1], [1, 1, 2, 2]]),
                changed("E5", "E6", verdict=["unchecked", "contradicted"]),
                changed("E6", "E7", quote=["a", "b"]),
            ],
        }
    ],
    "added": [],
    "removed": [],
}


def show(project, rows, run_id, title):
    """Made in a worker thread, shown on the main one, as the dock does."""
    layer = in_worker(lambda: drawn(rows, project.transformContext()))
    assert layer.thread() == QCoreApplication.instance().thread()
    show_differences(project, layer, run_id, title)
    return layer


@pytest.fixture
def found(tmp_path):
    before = read_tables(result(tmp_path, "a.gpkg"))
    shutil.copy(tmp_path / "a.gpkg", tmp_path / "b.gpkg")
    after = read_tables(tmp_path / "b.gpkg")
    return list(differences(DOCUMENT, before, after)), before


def test_every_box_says_what_became_of_it(found):
    rows, tables = found
    said = {(one.before, one.after): one.change for one in rows}
    assert said == {
        ("E1", "E1"): "the same",
        ("", "E2"): "appeared",
        ("E3", ""): "disappeared",
        ("E4", "E5"): "moved",
        ("E5", "E6"): "verdict changed",
        ("E6", "E7"): "the same",
        ("E8", ""): "not compared",
        ("", "E9"): "not compared",
    }
    assert next(one.what for one in rows if one.change == "moved") == "moved by 2.3 m"
    places = {row["evidence_id"]: row["geometry"] for row in tables.evidence}
    assert {(one.before, one.after): one.geometry for one in rows}[("E3", "")] == places["E3"]
    assert {(one.before, one.after): one.geometry for one in rows}[("E4", "E5")] == places["E5"]
    assert (
        summary(DOCUMENT, rows)
        == "Boxes: 1 appeared, 1 disappeared, 1 moved, 1 verdict changed, 2 the same, 2 where only one looked"
    )


def test_what_only_a_review_made_neither_appeared_nor_disappeared(tmp_path):
    before = read_tables(result(tmp_path, "a.gpkg"))
    answer = {
        **DOCUMENT["answers"][0],
        "removed": [],
        "by_review": {
            "before": [{"evidence_id": "E3", "review": "added"}],
            "after": [{"evidence_id": "E8", "review": "rejected"}],
        },
        "sentence": "25 -> 27 airplanes",
    }
    document = {**DOCUMENT, "answers": [answer]}
    rows = list(differences(document, before, before))
    drawn = next(one for one in rows if (one.before, one.after) == ("E3", ""))
    assert (drawn.change, drawn.what) == ("by review", "drawn in review")
    assert next(one for one in rows if (one.before, one.after) == ("", "E8")).what == "rejected in review"
    told = summary(document, rows)
    assert told.startswith("25 → 27 airplanes. Boxes: 1 appeared, 0 disappeared")
    assert "2 drawn or rejected in review" in told


def test_the_layer_has_a_legend_with_numbers_and_lies_in_a_subgroup(project, found):
    rows, _ = found
    layer = show(project, rows, "compare-1", "run 1 and run 2")
    assert [category.label() for category in layer.renderer().categories()] == [
        "appeared (1)",
        "disappeared (1)",
        "moved (1)",
        "verdict changed (1)",
        "drawn or rejected in review (0)",
        "the same (2)",
        "where only one looked (2)",
    ]
    assert layer.featureCount() == 8
    assert layer.crs().authid() == "EPSG:32631"
    assert group.find_run_group(project, "compare-1").name() == "run 1 and run 2"
    assert project.layerTreeRoot().findLayer(layer.id()).isExpanded()  # the legend is what one looks for
    again = show(project, rows[:1], "compare-1", "run 1 and run 2")
    assert list(project.mapLayers().values()) == [again]


def test_what_changed_is_labelled_with_its_numbers(project, found):
    rows, _ = found
    layer = show(project, rows, "compare-1", "runs")
    expression = QgsExpression(layer.labeling().settings().fieldName)
    assert not expression.hasParserError()
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    said = {}
    for feature in layer.getFeatures():
        context.setFeature(feature)
        said[feature["change"]] = expression.evaluate(context)
    assert {name: words or None for name, words in said.items()} == {
        "appeared": "E2",
        "disappeared": "E3",
        "moved": "E4 → E5",
        "verdict changed": "E5 → E6",
        "the same": None,
        "not compared": None,
    }


def test_colours_differ_for_colour_blind_eyes_and_dashes_for_grey_print(project, found):
    rows, _ = found
    layer = show(project, rows, "compare-1", "runs")
    looks = []
    for category in layer.renderer().categories():
        line = category.symbol().symbolLayer(1)
        dash = tuple(line.customDashVector()) if line.useCustomDashPattern() else ()
        looks.append((line.color().name(), dash, line.width()))
    assert len({colour for colour, _, _ in looks}) == 7
    assert len({(dash, width) for _, dash, width in looks}) == 7


def test_boxes_of_another_crs_are_put_where_they_are(project, found):
    rows, _ = found
    moved = [
        dataclasses.replace(one, crs="EPSG:32632") if one.change == "disappeared" else one for one in rows
    ]
    layer = show(project, moved, "compare-1", "runs")
    gone = next(f for f in layer.getFeatures() if f["change"] == "disappeared")
    kept = next(f for f in layer.getFeatures() if f["change"] == "the same")
    assert gone.geometry().distance(kept.geometry()) > 100_000


def test_boxes_of_a_question_that_only_one_run_was_asked_are_not_called_new(found, tmp_path):
    tables = read_tables(tmp_path / "a.gpkg")
    rows = list(differences({**DOCUMENT, "answers": []}, tables, tables))
    assert {one.change for one in rows} == {"not compared"}
    assert len(rows) == 2 * len(tables.evidence)


class EngineWithoutCommonGround:
    def execute_job(self, process, inputs):
        return process, {"answers": [], "added": [], "removed": []}


def test_two_runs_without_a_common_question_are_a_sentence(tmp_path):
    path = result(tmp_path)
    with pytest.raises(LayerError, match="no question about the same place"):
        ask_for_difference((path, None), (path, None), EngineWithoutCommonGround())


def test_nothing_in_common_is_an_empty_layer(project):
    assert show(project, [], "c", "runs").featureCount() == 0
    assert summary(DOCUMENT, []).startswith("Boxes: 0 appeared")
