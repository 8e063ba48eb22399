"""Boxes on the map while the model writes."""

from __future__ import annotations

import dataclasses

import pytest
from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsProject
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

from groundproof_qgis.answer.evidence import Evidence
from groundproof_qgis.layers import group
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.live import REPAINT_MS, LiveLayer


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


def box(n, final=False, answer_id="A1", crs="EPSG:32631", x=None):
    x = 443000.0 + 20 * (n % 200) if x is None else x
    y = 4100000.0 + 20 * (n // 200)
    ring = [[x, y], [x + 10, y], [x + 10, y + 10], [x, y + 10], [x, y]]
    number = f"E{n}" if final else None
    return Evidence.from_document(
        {
            "key": f"{answer_id}:{number}" if final else f"t:{answer_id}:{n}",
            "evidence_id": number,
            "answer_id": answer_id,
            "label": "ship",
            "quote": "a ship",
            "final": final,
            "crs": crs,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
    )


def live(project, crs="EPSG:32631", **more):
    return LiveLayer(project, "r1", "run", crs, **more)


def test_boxes_come_in_batches_and_known_ones_once(project):
    made = live(project)
    made.add([box(1), box(2), box(2)])
    made.add([box(2), box(3)])
    assert made.layer.featureCount() == 3
    fids = made.fids(["t:A1:2", "t:A1:9"])
    assert made.keys(fids) == ["t:A1:2"]
    (node,) = group.find_run_group(project, "r1").findLayers()
    assert node.layer() is made.layer


def test_final_boxes_take_the_place_of_live_ones_answer_by_answer(project):
    made = live(project)
    made.add([box(n) for n in range(5)] + [box(n, answer_id="A2") for n in range(3)])
    made.add([box(9), box(1, final=True)])
    assert made.layer.featureCount() == 4
    made.add([box(8)])  # late
    assert made.layer.featureCount() == 4
    made.end_live("A2")
    assert [feature["evidence_id"] for feature in made.layer.getFeatures()] == ["E1"]
    assert made.keys(made.fids(["A1:E1"])) == ["A1:E1"]


def test_a_box_in_another_crs_lands_in_the_same_place(project):
    made = live(project, "EPSG:3857")
    made.add([box(1), box(2, crs="EPSG:3857", x=0.0)])
    here = made.layer.getFeature(made.fids(["t:A1:1"])[0]).geometry().centroid().asPoint()
    assert abs(here.x() - 262000) < 1500
    assert abs(made.layer.getFeature(made.fids(["t:A1:2"])[0]).geometry().boundingBox().xMinimum()) < 1e-9


def test_pixel_space_has_no_crs(project):
    made = live(project, None)
    made.add([box(1, crs=None)])
    assert not made.layer.crs().isValid()
    assert made.layer.featureCount() == 1


def test_an_unknown_crs_is_a_sentence(project):
    with pytest.raises(LayerError, match="does not know"):
        live(project, "EPSG:999999")
    assert project.mapLayers() == {}


def test_somebody_may_remove_the_layer_while_boxes_come(project, qtbot):
    made = live(project)
    made.add([box(1)])
    project.removeMapLayer(made.layer.id())
    made.add([box(2)])
    made.end_live("A1")
    qtbot.wait(REPAINT_MS + 100)


def test_the_canvas_is_asked_to_draw_once_for_many_batches_and_not_while_it_draws(project, qtbot):
    busy = [True]
    made = live(project, is_drawing=lambda: busy[0])
    asked = []
    made.layer.repaintRequested.connect(lambda: asked.append(1))
    for n in range(50):
        made.add([box(n)])
    qtbot.wait(REPAINT_MS + 100)
    assert asked == []
    busy[0] = False
    qtbot.wait(REPAINT_MS + 100)
    assert asked == [1]


def test_only_numbered_boxes_are_labelled_and_all_are_white_on_a_dark_casing(project):
    made = live(project)
    made.add([box(0)])
    made.layer.updateExtents()
    settings = QgsMapSettings()
    settings.setLayers([made.layer])
    settings.setDestinationCrs(made.layer.crs())
    extent = made.layer.extent()
    extent.scale(3)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(300, 300))
    settings.setBackgroundColor(QColor("#808080"))

    def colours():
        job = QgsMapRendererParallelJob(settings)
        job.start()
        job.waitForFinished()
        image = job.renderedImage()
        return [image.pixelColor(x, y).name() for x in range(300) for y in range(300)]

    unlabelled = colours()
    assert sum(QColor(one).lightness() > 200 for one in unlabelled) > 300
    assert any(QColor(one).lightness() < 90 for one in set(unlabelled))
    made.add([box(0, final=True)])
    assert colours().count("#808080") < unlabelled.count("#808080") - 100


@pytest.mark.parametrize(
    "more",
    [
        {"crs": "NOBODY:1"},
        {
            "crs": "EPSG:4326",
            "geometry": {"type": "Polygon", "coordinates": [[[1e300, 1e300], [1, 91], [5, 5]]]},
        },
        {"geometry": {"type": "Polygon"}},
        {"geometry": {"type": "Polygon", "coordinates": [["a"]]}},
    ],
)
def test_boxes_that_cannot_be_drawn_are_left_out_and_said_once(project, more):
    notes = []
    made = live(project, note=notes.append)
    wrong = [dataclasses.replace(box(n), **more) for n in (1, 2)]
    made.add([wrong[0], box(3)])
    made.add([*wrong, box(4)])
    assert made.layer.featureCount() == 2
    assert made.fids(["t:A1:1", "t:A1:2"]) == []
    assert len(notes) == 1
    assert notes[0].startswith("Some boxes are not on the map")
