"""Audit evidence and Compare two runs: what a reviewed GeoPackage says afterwards, and how two differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import (
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime

from groundproof_qgis.layers.tables import read_tables
from tests.plugin.processing_runs import desktop, run
from tests.plugin.results import QUESTION, result, scene


@pytest.fixture(scope="module", autouse=True)
def registered(qgis_app) -> Iterator[None]:
    with desktop():
        yield


def rejected(path: Path, *names: str) -> Path:
    """The result with these boxes rejected, as a review in QGIS leaves it."""
    layer = QgsVectorLayer(f"{path}|layername=evidence", "evidence", "ogr")
    review, at = (layer.fields().indexOf(name) for name in ("review", "reviewed_at"))
    fids = {feature["evidence_id"]: feature.id() for feature in layer.getFeatures()}
    changes = {fids[name]: {review: "rejected", at: QDateTime.currentDateTimeUtc()} for name in names}
    assert layer.dataProvider().changeAttributeValues(changes)
    return path


def counted(path: Path) -> int:
    return read_tables(path).answers[0]["value"]


def test_rejected_boxes_are_not_counted_after_an_audit_and_the_given_file_stays(tmp_path: Path) -> None:
    path = rejected(result(tmp_path), "E1", "E2")
    before = counted(path)
    outputs, feedback, _ = run(
        "audit_evidence",
        {
            "INPUT": str(path),
            "OUTPUT": str(tmp_path / "audited.gpkg"),
            "FINDINGS": "TEMPORARY_OUTPUT",
            "HTML": str(tmp_path / "audit.html"),
        },
    )
    assert outputs is not None, feedback.errors
    assert counted(Path(outputs["FILE"])) == outputs["COUNT"] == before - 2
    assert counted(path) == before
    assert outputs["ANSWER"].startswith(f"{before - 2} ")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert outputs["ANSWER"] in page


def test_a_report_of_an_audit_escapes_what_a_model_wrote(tmp_path: Path) -> None:
    path = result(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER IF EXISTS rtree_answers_geom_update1")
        connection.create_function("ST_IsEmpty", 1, lambda _: 0)
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            connection.create_function(name, 1, lambda _: 0.0)
        connection.execute("UPDATE answers SET question = '<script>alert(1)</script>'")
    outputs, feedback, _ = run(
        "audit_evidence",
        {"INPUT": str(path), "OUTPUT": "TEMPORARY_OUTPUT", "HTML": str(tmp_path / "audit.html")},
    )
    assert outputs is not None, feedback.errors
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_findings_come_as_a_table(tmp_path: Path) -> None:
    outputs, _, context = run(
        "audit_evidence",
        {"INPUT": str(result(tmp_path)), "OUTPUT": "TEMPORARY_OUTPUT", "FINDINGS": "TEMPORARY_OUTPUT"},
    )
    table = QgsProcessingUtils.mapLayerFromString(outputs["FINDINGS"], context)
    rows = [feature.attributeMap() for feature in table.getFeatures()]
    expected = read_tables(Path(outputs["FILE"])).answers[0]["audit"]
    assert [row["sentence"] for row in rows] == [one["sentence"] for one in expected]
    assert {row["severity"] for row in rows} <= {"error", "warning", "info"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "is not there"), (b"no database", "is not a GeoPackage that can be read")],
)
def test_what_is_no_result_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    path = tmp_path / "other.gpkg"
    if content is not None:
        path.write_bytes(content)
    for name, parameters in (
        ("audit_evidence", {"INPUT": str(path), "OUTPUT": str(tmp_path / "out.gpkg")}),
        ("compare_runs", {"BEFORE": str(path), "AFTER": str(path), "OUTPUT": "TEMPORARY_OUTPUT"}),
    ):
        outputs, feedback, _ = run(name, parameters)
        assert outputs is None
        assert expected in " ".join(feedback.errors)
        assert "Traceback" not in " ".join(feedback.errors)


def test_two_runs_are_compared_box_by_box(tmp_path: Path) -> None:
    before, after = result(tmp_path, "before.gpkg"), result(tmp_path, "after.gpkg")
    layer = QgsVectorLayer(f"{after}|layername=evidence", "evidence", "ogr")
    gone = next(feature for feature in layer.getFeatures() if feature["evidence_id"] == "E3")
    assert layer.dataProvider().deleteFeatures([gone.id()])
    del layer
    definition = QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance())
    outputs, feedback, context = run(
        "compare_runs", {"BEFORE": str(before), "AFTER": str(after), "OUTPUT": definition}
    )
    assert outputs is not None, feedback.errors
    assert (outputs["APPEARED"], outputs["DISAPPEARED"], outputs["MOVED"]) == (0, 1, 0)
    assert "1 disappeared" in outputs["TEXT"]
    shown = QgsProcessingUtils.mapLayerFromString(outputs["OUTPUT"], context)
    changes = [feature["change"] for feature in shown.getFeatures()]
    assert changes.count("disappeared") == 1
    assert len(changes) == len(read_tables(before).evidence)
    place = next(f for f in shown.getFeatures() if f["change"] == "disappeared").geometry()
    assert place.equals(gone.geometry())
    context.layersToLoadOnCompletion()[outputs["OUTPUT"]].postProcessor().postProcessLayer(
        shown, context, feedback
    )
    assert shown.renderer().classAttribute() == "change"
    assert shown.customProperty("groundproof/layer") == "compare"


def test_a_model_asks_and_audits_in_one_go(tmp_path: Path) -> None:
    model = QgsProcessingModelAlgorithm("ask and audit", "tests")
    parameter = QgsProcessingModelParameter("image")
    model.addModelParameter(QgsProcessingParameterRasterLayer("image", "Image"), parameter)
    source = QgsProcessingModelChildParameterSource
    ask = QgsProcessingModelChildAlgorithm("groundproof:ask_imagery")
    ask.setChildId("ask")
    ask.addParameterSources("INPUT", [source.fromModelParameter("image")])
    ask.addParameterSources("QUESTION", [source.fromStaticValue(QUESTION)])
    ask.addParameterSources("TASK", [source.fromStaticValue("count")])
    model.addChildAlgorithm(ask)
    audit = QgsProcessingModelChildAlgorithm("groundproof:audit_evidence")
    audit.setChildId("audit")
    audit.addParameterSources("INPUT", [source.fromChildOutput("ask", "FILE")])
    output = QgsProcessingModelOutput("evidence", "evidence")
    output.setChildId("audit")
    output.setChildOutputName("OUTPUT")
    audit.setModelOutputs({"evidence": output})
    model.addChildAlgorithm(audit)
    model.initAlgorithm()
    target = tmp_path / "audited.gpkg"
    (destination,) = (
        model.destinationParameterDefinitions()
    )  # QGIS 3.22 calls it "audit:evidence", 3.40 "evidence"
    outputs, feedback, _ = run(model, {"image": str(scene()), destination.name(): str(target)})
    assert outputs is not None, (feedback.errors, feedback.warned)
    assert counted(target) == counted(result(tmp_path, "cli.gpkg"))
