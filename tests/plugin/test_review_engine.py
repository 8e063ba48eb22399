"""After a review the engine makes count, audit and answer anew, and exports corrections: a real engine."""

from __future__ import annotations

import json
import shutil
import zipfile

import pytest
from qgis.core import QgsGeometry, QgsProject, QgsRectangle, QgsVectorLayerUtils

from groundproof_qgis.layers.compare import ask_for_difference
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.export import export_corrections
from groundproof_qgis.review.session import ReviewSession
from groundproof_qgis.review.state import review_state
from groundproof_qgis.review.update import ask_for_update, write_back
from tests.plugin.engine_waiting import in_worker
from tests.plugin.opened import open_result
from tests.plugin.results import engine, parcels, result
from tests.plugin.served_engine import asked, served

GONE = "0" * 32
"""A job that no engine has."""


@pytest.fixture(scope="module")
def client(qgis_app, tmp_path_factory):
    with served(tmp_path_factory.mktemp("engine")) as made:
        yield made


@pytest.fixture(scope="module")
def answered(client, tmp_path_factory):
    """A job of the engine and its GeoPackage; not to be changed."""
    file = tmp_path_factory.mktemp("answered") / "result.gpkg"
    return asked(client, file), file


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


def opened(project, path):
    tables = read_tables(path)
    layers = open_result(project, path, tables.run_id, "run")
    return layers, ReviewSession(layers, tables.answer(), tables.labels_asked)


def edit(layers, session):
    """Reject E1, move E2, add one; gives the number of the new one."""
    layer = layers.evidence
    session.reject([1])
    shape = layer.getFeature(2).geometry()
    shape.translate(1.5, 1.5)  # still the same object: more than half of both is overlap
    layer.beginEditCommand("Move feature")
    layer.changeGeometry(2, shape)
    layer.endEditCommand()
    middle = layer.getFeature(4).geometry().centroid().asPoint()
    inwards = 12 if middle.x() < layer.extent().center().x() else -24  # a box outside of the scene is refused
    x = middle.x() + inwards
    rectangle = QgsRectangle(x, middle.y(), x + 12, middle.y() + 8)
    box = QgsVectorLayerUtils.createFeature(
        layer, QgsGeometry.fromRect(rectangle), {}, layer.createExpressionContext()
    )
    layer.beginEditCommand("Add feature")
    layer.addFeature(box)
    layer.endEditCommand()
    name = layer.getFeature(box.id())["evidence_id"]
    session.save()
    return name


@pytest.mark.parametrize("known", [True, False])
def test_the_engine_says_the_same_as_the_local_count_and_it_is_written(
    client, answered, project, tmp_path, known
):
    job, file = answered
    path = shutil.copy(file, tmp_path / "run.gpkg")
    layers, session = opened(project, tmp_path / "run.gpkg")
    added = edit(layers, session)
    local = session.counts()["A1"].counted

    update = in_worker(lambda: ask_for_update(layers.path, job if known else GONE, client))
    write_back(layers, update)

    tables = read_tables(layers.path)
    answer = tables.answer()
    assert answer.line == f"{local} airplanes"
    assert answer.parts["A1"].value == local
    assert any("rejected in review" in one.sentence for one in answer.parts["A1"].findings)
    assert any("added in review" in one.sentence for one in answer.parts["A1"].findings)
    rows = {row["evidence_id"]: row for row in tables.evidence}
    new = rows[added]
    assert new["verdict"] == "supported"
    assert new["width_m"] > 8
    assert len(new["box_px"]) == 4
    moved = rows["E2"]["box_px"]
    old = {row["evidence_id"]: row for row in read_tables(file).evidence}["E2"]["box_px"]
    assert all(abs(a - b) > 1 for a, b in zip(moved, old))
    # What QGIS shows is what the file holds, and the engine's own reading of the file agrees.
    assert layers.answers.getFeature(1)["answer"] == answer.line
    assert f"{local} airplanes" in engine("audit", path).stdout
    # A second time nothing is left to change.
    again = in_worker(lambda: ask_for_update(layers.path, job if known else GONE, client))
    assert (again.evidence, again.geometries, again.answers) == ({}, {}, {})


def test_taking_a_decision_back_makes_the_answer_what_it_was(client, answered, project, tmp_path):
    job, file = answered
    shutil.copy(file, tmp_path / "run.gpkg")
    layers, session = opened(project, tmp_path / "run.gpkg")
    for decide in (session.reject, session.clear, session.accept, session.clear):
        decide([1, 2])
        session.save()
        write_back(layers, in_worker(lambda: ask_for_update(layers.path, job, client)))
    before, after = read_tables(file), read_tables(layers.path)
    assert after.answers == before.answers
    assert after.evidence == before.evidence


def test_a_box_deleted_here_is_gone_from_the_answer(client, answered, project, tmp_path):
    job, file = answered
    shutil.copy(file, tmp_path / "run.gpkg")
    layers, session = opened(project, tmp_path / "run.gpkg")
    session.start()
    layers.evidence.deleteFeature(1)
    session.save()
    write_back(layers, in_worker(lambda: ask_for_update(layers.path, job, client)))
    assert read_tables(layers.path).answer().parts["A1"].value == session.counts()["A1"].counted


def test_parcels_are_audited_each(client, project, tmp_path):
    path = parcels(tmp_path)
    layers, session = opened(project, path)
    fids = [one.id() for one in layers.evidence.getFeatures("\"answer_id\" = 'A2'")][:1]
    session.reject(fids)
    session.save()
    write_back(layers, in_worker(lambda: ask_for_update(path, None, client)))
    answer = read_tables(path).answer()
    for name, part in answer.parts.items():
        assert part.value == session.counts()[name].counted


def test_unsaved_edits_are_not_written_over(client, answered, project, tmp_path):
    job, file = answered
    shutil.copy(file, tmp_path / "run.gpkg")
    layers, session = opened(project, tmp_path / "run.gpkg")
    session.reject([1])
    session.save()
    update = in_worker(lambda: ask_for_update(layers.path, job, client))
    session.reject([2])
    with pytest.raises(ReviewError, match="not saved"):
        write_back(layers, update)
    layers.evidence.rollBack()


@pytest.mark.parametrize(("form", "known"), [("coco", True), ("geo-cot", True), ("yolo", True)])
def test_corrections_become_training_data(client, answered, project, tmp_path, form, known):
    job, file = answered
    shutil.copy(file, tmp_path / "run.gpkg")
    layers, session = opened(project, tmp_path / "run.gpkg")
    edit(layers, session)
    session.accept([one.id() for one in layers.evidence.getFeatures('"review" IS NULL')])
    session.save()
    made = in_worker(lambda: export_corrections(layers.path, job, form, tmp_path / "corrections.zip", client))
    assert made.boxes > 5
    assert made.labels == ("airplane",)
    assert str(made.examples) in made.sentence
    with zipfile.ZipFile(made.path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        if form == "coco":
            document = json.loads(
                archive.read(next(n for n in names if n.endswith(".json") and "annot" in n))
            )
            assert len(document["annotations"]) == made.boxes


def test_nothing_reviewed_gives_nothing_to_learn_from(client, answered, tmp_path):
    job, file = answered
    with pytest.raises(ReviewError, match="Nothing was reviewed yet"):
        export_corrections(file, job, "coco", tmp_path / "x.zip", client)
    assert not (tmp_path / "x.zip").exists()


def test_boxes_drawn_and_rejected_were_never_there(project, tmp_path):
    path = result(tmp_path)
    layers, session = opened(project, path)
    added = edit(layers, session)
    fid = next(one.id() for one in layers.evidence.getFeatures(f"\"evidence_id\" = '{added}'"))
    session.reject([fid])
    session.save()
    state = review_state(read_tables(path))
    assert state.added == ()
    assert state.review["E1"] == "rejected"
    assert state.review["E2"]["review"] == "adjusted"
    assert added not in state.review


def test_two_states_of_a_result_are_compared(client, answered, project, tmp_path):
    job, file = answered
    shutil.copy(file, tmp_path / "run.gpkg")
    layers, session = opened(project, tmp_path / "run.gpkg")
    added = edit(layers, session)
    found = in_worker(lambda: ask_for_difference((file, job), (layers.path, None), client))
    (one,) = found["answers"]
    assert not one["added"]
    assert [item["evidence_id"] for item in one["by_review"]["after"]] == [added]
    assert {change["after"]["evidence_id"] for change in one["changed"]} >= {"E1", "E2"}
