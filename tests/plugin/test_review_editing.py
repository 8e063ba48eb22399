"""A review with ordinary QGIS editing: what each edit means, what undo takes back, what is saved."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from qgis.core import QgsGeometry, QgsProject, QgsRectangle, QgsVectorLayerUtils

from groundproof_qgis.layers.group import run_title
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.session import ReviewSession
from tests.plugin.opened import open_result
from tests.plugin.results import engine, parcels, result, with_duplicate


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


def reviewed(project, path):
    tables = read_tables(path)
    layers = open_result(project, path, tables.run_id, run_title("How many?", "08:00"))
    session = ReviewSession(layers, tables.answer(), tables.labels_asked)
    return session, layers.evidence


@pytest.fixture
def review(project, tmp_path):
    return reviewed(project, result(tmp_path))


def cells(layer, fid, *names):
    feature = layer.getFeature(fid)
    return tuple(feature[name] if feature[name] else None for name in names)


def move(layer, fid, by=5.0):
    shape = layer.getFeature(fid).geometry()
    shape.translate(by, by)
    layer.beginEditCommand("Move feature")
    layer.changeGeometry(fid, shape)
    layer.endEditCommand()


def draw(layer, shape):
    """As QGIS's own tool adds a polygon that was drawn."""
    feature = QgsVectorLayerUtils.createFeature(layer, shape, {}, layer.createExpressionContext())
    layer.beginEditCommand("Add feature")
    assert layer.addFeature(feature)
    layer.endEditCommand()
    return feature.id()


def somewhere(layer, x=10.0):
    middle = layer.getFeature(1).geometry().centroid().asPoint()
    return QgsGeometry.fromRect(QgsRectangle(middle.x() + x, middle.y(), middle.x() + x + 9, middle.y() + 8))


def settle(qtbot):
    qtbot.wait(120)


def test_the_local_count_is_the_engines_count(review):
    session, _ = review
    assert session.counts()["A1"].counted == session.answer.parts["A1"].value
    assert session.sentence() == ""


def test_rejecting_lowers_the_count_and_undo_takes_it_back(review, qtbot):
    session, layer = review
    before = session.counts()["A1"].counted
    with qtbot.waitSignal(session.changed):
        session.reject([1, 2])
    assert session.counts()["A1"].sentence == f"{before - 2} counted after your review (2 rejected)"
    assert layer.undoStack().undoText() == "Reject evidence"
    layer.undoStack().undo()
    settle(qtbot)
    assert session.counts()["A1"].counted == before
    assert cells(layer, 1, "review", "reviewed_at", "verdict") == (None, None, "unchecked")
    assert not session.is_modified


def test_accepting_supports_a_box_and_clearing_takes_the_support_back(review):
    session, layer = review
    session.accept([1])
    assert cells(layer, 1, "review", "verdict") == ("accepted", "supported")
    session.clear([1])
    assert cells(layer, 1, "review", "verdict", "reviewed_at") == (None, "unchecked", None)


def test_accepting_a_duplicate_makes_it_count(project, tmp_path):
    session, layer = reviewed(project, with_duplicate(result(tmp_path)))
    before = session.counts()["A1"].counted
    fid = next(one.id() for one in layer.getFeatures("\"verdict\" = 'duplicate'"))
    session.accept([fid])
    assert session.counts()["A1"].counted == before + 1


def test_moving_a_box_marks_it_adjusted_in_the_same_undo_step(review, qtbot):
    session, layer = review
    session.start()
    shape = layer.getFeature(3).geometry()
    move(layer, 3)
    settle(qtbot)
    assert cells(layer, 3, "review", "verdict") == ("adjusted", "supported")
    assert layer.undoStack().count() == 1
    layer.undoStack().undo()
    settle(qtbot)
    assert cells(layer, 3, "review", "reviewed_at", "verdict") == (None, None, "unchecked")
    assert layer.getFeature(3).geometry().equals(shape)
    layer.undoStack().redo()
    settle(qtbot)
    assert cells(layer, 3, "review", "verdict") == ("adjusted", "supported")
    assert (layer.undoStack().count(), layer.undoStack().index()) == (1, 1)


def test_a_script_that_moves_a_box_without_a_command_marks_it_too(review, qtbot):
    session, layer = review
    session.start()
    shape = layer.getFeature(3).geometry()
    shape.translate(1, 1)
    layer.changeGeometry(3, shape)
    settle(qtbot)
    assert cells(layer, 3, "review") == ("adjusted",)


def test_another_name_is_an_adjustment(review):
    session, layer = review
    session.start()
    layer.beginEditCommand("Attributes changed")
    layer.changeAttributeValue(2, layer.fields().indexOf("label"), "helicopter")
    layer.endEditCommand()
    assert cells(layer, 2, "review", "label") == ("adjusted", "helicopter")
    layer.undoStack().undo()
    assert cells(layer, 2, "review", "label") == (None, "airplane")


def test_a_review_chosen_in_a_form_is_complete(review):
    session, layer = review
    session.start()
    layer.beginEditCommand("Attributes changed")
    layer.changeAttributeValue(2, layer.fields().indexOf("review"), "accepted")
    layer.endEditCommand()
    review, at, verdict = cells(layer, 2, "review", "reviewed_at", "verdict")
    assert (review, verdict) == ("accepted", "supported")
    assert at is not None


def test_a_drawn_box_has_a_number_at_once_and_one_undo_takes_it_away(review, qtbot):
    session, layer = review
    session.start()
    n = layer.featureCount()
    before = session.counts()["A1"].counted
    fid = draw(layer, somewhere(layer))
    assert cells(layer, fid, "evidence_id", "answer_id", "label", "review", "role", "verdict", "scene") == (
        f"E{n + 1}",
        "A1",
        "airplane",
        "added",
        "evidence",
        "supported",
        "field",
    )
    settle(qtbot)
    assert session.counts()["A1"].sentence == f"{before + 1} counted after your review (1 added)"
    assert cells(layer, draw(layer, somewhere(layer, 30)), "evidence_id") == (f"E{n + 2}",)
    settle(qtbot)
    assert layer.undoStack().count() == 2
    layer.undoStack().undo()
    layer.undoStack().undo()
    settle(qtbot)
    assert layer.featureCount() == n
    assert session.counts()["A1"].counted == before


def test_a_copied_box_becomes_one_of_its_own(review, qtbot):
    session, layer = review
    session.start()
    n = layer.featureCount()
    copy = layer.getFeature(4)
    copy.setId(-1)
    copy["fid"] = None
    layer.beginEditCommand("Features pasted")
    layer.addFeature(copy)
    layer.endEditCommand()
    settle(qtbot)
    fid = next(one.id() for one in layer.getFeatures() if one.id() < 0)
    assert cells(layer, fid, "evidence_id", "review", "tile_ids", "quote") == (
        f"E{n + 1}",
        "added",
        None,
        "added by the analyst",
    )
    assert cells(layer, 4, "evidence_id", "review") == ("E4", None)


def test_a_moved_box_cannot_be_cleared_and_the_sentence_says_what_can(review):
    session, layer = review
    session.start()
    move(layer, 3)
    with pytest.raises(ReviewError, match="E3 was drawn or changed by hand"):
        session.clear([3])
    session.accept([3])
    assert cells(layer, 3, "review") == ("adjusted",)
    session.reject([3])
    assert cells(layer, 3, "review", "verdict") == ("rejected", "unchecked")


def test_with_several_answers_a_box_belongs_to_the_area_it_lies_in(project, tmp_path, qtbot):
    session, layer = reviewed(project, parcels(tmp_path))
    session.start()
    for answer_id, x in (("A1", 443050.0), ("A2", 443160.0)):
        n = len(session.answer.parts[answer_id].evidence)
        fid = draw(layer, QgsGeometry.fromRect(QgsRectangle(x, 4099930, x + 9, 4099940)))
        settle(qtbot)
        assert cells(layer, fid, "answer_id", "evidence_id", "label", "scene") == (
            answer_id,
            f"E{n + 1}",
            "airplane",
            "field",
        )
    assert session.sentence().count("1 added") == 2


def test_what_is_saved_is_what_the_engine_reads(review, qtbot, tmp_path):
    session, layer = review
    session.reject([1])
    move(layer, 2, by=0.25)
    n = layer.featureCount()
    draw(layer, somewhere(layer))
    expected = session.counts()["A1"].counted
    session.save()
    assert not layer.isEditable()
    rows = {row["evidence_id"]: row for row in read_tables(tmp_path / "run.gpkg").evidence}
    assert [rows[name]["review"] for name in ("E1", "E2", f"E{n + 1}", "E4")] == [
        "rejected",
        "adjusted",
        "added",
        None,
    ]
    for name in ("E1", "E2", f"E{n + 1}"):
        at = datetime.fromisoformat(rows[name]["reviewed_at"].replace("Z", "+00:00"))
        assert abs((datetime.now(timezone.utc) - at).total_seconds()) < 60
    said = engine("audit", tmp_path / "run.gpkg").stdout
    assert f"{expected} airplanes" in said
    assert session.counts()["A1"].counted == expected


def test_discarding_forgets_everything(review):
    session, layer = review
    before = session.counts()["A1"]
    session.reject([1, 2, 3])
    layer.rollBack()
    assert session.counts()["A1"] == before
    assert not layer.isEditable()


def test_a_layer_that_cannot_be_edited_is_a_sentence(review):
    session, layer = review
    layer.setReadOnly(True)
    with pytest.raises(ReviewError, match="cannot be written"):
        session.accept([1])
