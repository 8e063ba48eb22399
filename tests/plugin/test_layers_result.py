"""A result as layers of a project: found again after saving, styled, shown, handed over."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsProject,
    QgsVectorLayer,
)

from groundproof_qgis.layers import group, look
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.hand_over import hand_over
from groundproof_qgis.layers.index import EvidenceIndex
from groundproof_qgis.layers.result import find_result
from groundproof_qgis.layers.tables import read_tables
from tests.plugin.opened import open_result
from tests.plugin.results import ROOT, engine, parcels, result


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def opened(project, tmp_path):
    return open_result(project, result(tmp_path), "r1", group.run_title("How many airplanes?", "08:00"))


def names(node):
    return [child.name() for child in node.children()]


def test_a_result_lies_in_its_own_group_with_evidence_on_top(project, opened):
    root = project.layerTreeRoot()
    assert names(root)[0] == "groundproof"
    (run,) = group.result_group(project).children()
    assert run.name() == "How many airplanes? (08:00)"
    layers = [node.layer() for node in run.findLayers()]
    assert layers == [opened.evidence, opened.tiles, opened.answers, opened.scenes]
    shown = [node.itemVisibilityChecked() for node in run.findLayers()]
    assert shown == [True, False, True, False]


def test_a_failed_tile_makes_the_tiles_visible(project, tmp_path):
    path = result(tmp_path)
    dataset = gdal.OpenEx(str(path), gdal.OF_UPDATE | gdal.OF_VECTOR)
    dataset.ExecuteSQL("UPDATE tiles SET status = 'read_error' WHERE fid = 1")
    del dataset
    layers = open_result(project, path, "r1", "run")
    assert project.layerTreeRoot().findLayer(layers.tiles).itemVisibilityChecked()


def test_the_engines_own_styles_are_loaded(opened):
    assert opened.evidence.renderer().type() == "categorizedSymbol"
    assert opened.evidence.labelsEnabled()
    assert "quote" in opened.evidence.mapTipTemplate()
    assert opened.tiles.renderer().type() == "categorizedSymbol"
    review = opened.evidence.fields().indexOf("review")
    assert opened.evidence.editorWidgetSetup(review).type() == "ValueMap"
    assert opened.evidence.editFormConfig().readOnly(opened.evidence.fields().indexOf("score"))
    assert not opened.evidence.editFormConfig().readOnly(review)


def test_live_boxes_look_like_the_engines_unchecked_ones(opened):
    ours = {
        verdict: (colour, [length * look.WIDTH_MM for length in dash])
        for verdict, (colour, dash) in look.VERDICTS.items()
    }
    theirs = {}
    for category in opened.evidence.renderer().categories():
        casing, line = category.symbol().symbolLayers()
        dashes = line.customDashVector() if line.useCustomDashPattern() else []
        theirs[category.value()] = (line.color().name(), pytest.approx(dashes))
        assert line.width() == look.WIDTH_MM
        assert (casing.color().name(), casing.color().alpha()) == (look.CASING, look.CASING_ALPHA)
        assert casing.width() == look.WIDTH_MM + look.CASING_MM
    theirs.pop("")
    assert ours == theirs
    assert list(ours) == list(theirs)


def test_opening_a_second_time_changes_nothing(project, opened):
    again = open_result(project, opened.path, "r1", "other title")
    assert list(again) == list(opened)
    assert len(project.mapLayers()) == 4


def test_a_layer_somebody_removed_comes_back_and_edits_of_the_others_stay(project, opened):
    opened.evidence.startEditing()
    opened.evidence.deleteFeature(1)
    project.removeMapLayer(opened.tiles.id())
    assert find_result(project, "r1") is None
    again = open_result(project, opened.path, "r1", "run")
    assert again.evidence.isModified()
    assert find_result(project, "r1").tiles.isValid()
    again.evidence.rollBack()


def test_a_saved_project_finds_its_results_again(project, opened, tmp_path):
    file = str(tmp_path / "p.qgz")
    group.result_group(project).setName("Ergebnisse")
    assert project.write(file)
    project.clear()
    assert find_result(project, "r1") is None
    assert project.read(file)
    found = find_result(project, "r1")
    assert found.path == tmp_path / "run.gpkg"
    assert found.evidence.featureCount() > 5
    assert group.result_group(project).name() == "Ergebnisse"
    assert all(group.is_ours(layer) for layer in found)
    open_result(project, result(tmp_path, "b.gpkg"), "r2", "newer")
    assert names(group.result_group(project))[0] == "newer"


def test_removing_a_run_leaves_nothing_behind_and_folds_the_journal_in(project, opened):
    opened.evidence.startEditing()
    opened.evidence.changeAttributeValue(1, opened.evidence.fields().indexOf("review"), "rejected")
    assert opened.evidence.commitChanges()
    folder, path = opened.path.parent, opened.path
    assert (folder / "run.gpkg-wal").exists()
    group.remove_layers(project, "r1")
    assert group.find_run_group(project, "r1") is None
    assert not (folder / "run.gpkg-wal").exists()
    assert read_tables(path).evidence[0]["review"] == "rejected"


@pytest.mark.parametrize("content", [b"", b"not a database", None])
def test_what_is_no_result_is_a_sentence(project, tmp_path, content):
    path = tmp_path / "x.gpkg"
    if content is not None:
        path.write_bytes(content)
    for read in (read_tables, lambda p: open_result(project, p, "r", "run")):
        with pytest.raises(LayerError, match=r"x\.gpkg"):
            read(path)
    assert project.mapLayers() == {}


def test_tables_are_read_with_all_their_digits(tmp_path):
    path = result(tmp_path)
    tables = read_tables(path)
    with sqlite3.connect(path) as db:
        stored = db.execute("SELECT width_m, box_px FROM evidence ORDER BY fid").fetchall()
    assert [(row["width_m"], row["box_px"]) for row in tables.evidence] == [
        (width, json.loads(box)) for width, box in stored
    ]
    layer = QgsVectorLayer(f"{path}|layername=evidence", "e", "ogr")
    for row, feature in zip(tables.evidence, layer.getFeatures()):
        points = [(p.x(), p.y()) for p in feature.geometry().vertices()]
        assert [tuple(p) for p in row["geometry"]["coordinates"][0]] == points
    assert tables.crs == "EPSG:32631"
    assert tables.labels_asked == {"How many airplanes are there?": ("airplane",)}


def test_a_cell_that_somebody_broke_stays_text_and_the_others_are_read(tmp_path):
    path = result(tmp_path)
    before = read_tables(path).evidence
    dataset = gdal.OpenEx(str(path), gdal.OF_UPDATE | gdal.OF_VECTOR)
    dataset.ExecuteSQL("UPDATE evidence SET tile_ids = '1], [2' WHERE fid = 1")
    del dataset
    after = read_tables(path).evidence
    assert after[0]["tile_ids"] == "1], [2"
    assert [row["tile_ids"] for row in after[1:]] == [row["tile_ids"] for row in before[1:]]


def test_pixel_space_has_no_crs(tmp_path, project):
    path = result(tmp_path)
    source = tmp_path / "plain.png"
    gdal.Translate(str(source), gdal.GetDriverByName("MEM").Create("", 64, 64, 3), format="PNG")
    engine("ask", source, "-q", "How many airplanes are there?", "--pixel-space", "-o", tmp_path / "p.gpkg")
    tables = read_tables(tmp_path / "p.gpkg")
    assert tables.crs is None
    layers = open_result(project, tmp_path / "p.gpkg", "r1", "run")
    assert not layers.evidence.crs().isValid() or layers.evidence.crs().authid() == ""
    assert path.exists()


def test_numbers_are_found_while_the_layer_is_edited(project, tmp_path):
    layers = open_result(project, parcels(tmp_path), "r1", "run")
    index = EvidenceIndex(layers.evidence)
    fid = index.fid("A2", "E1")
    assert index.name(fid) == ("A2", "E1")
    assert index.fid("A1", "E1") != fid
    layers.evidence.startEditing()
    layers.evidence.deleteFeature(fid)
    assert index.fid("A2", "E1") is None
    layers.evidence.undoStack().undo()
    assert index.fids([("A2", "E1"), ("A9", "E1")]) == [fid]
    layers.evidence.changeAttributeValue(fid, layers.evidence.fields().indexOf("evidence_id"), "E77")
    assert index.fid("A2", "E77") == fid
    layers.evidence.rollBack()
    assert index.fid("A2", "E1") == fid


def test_numbers_are_right_after_saving_without_reading_the_layer_again(opened):
    evidence = read_tables(opened.path).answer().evidence
    layer = opened.evidence
    index = EvidenceIndex(layer, evidence)
    assert [index.fid("A1", one.evidence_id) for one in evidence] == [one.fid for one in evidence]
    layer.startEditing()
    copy = layer.getFeature(1)
    copy["fid"], copy["evidence_id"] = None, "E99"
    copy.setId(-1)
    layer.addFeature(copy)
    before = index.fid("A1", "E99")
    layer.deleteFeature(2)
    assert layer.commitChanges()
    saved = next(one.id() for one in layer.getFeatures("\"evidence_id\" = 'E99'"))
    assert before < 0 < saved
    assert (index.fid("A1", "E99"), index.name(saved)) == (saved, ("A1", "E99"))
    assert index.name(before) is None
    assert index.fid("A1", "E2") is None


def test_boxes_that_are_not_the_layers_are_not_believed(opened):
    evidence = read_tables(opened.path).answer().evidence
    index = EvidenceIndex(opened.evidence, evidence[:3])
    assert index.fid("A1", evidence[-1].evidence_id) == evidence[-1].fid


READ = """
import json, sqlite3, sys
from osgeo import gdal
from qgis.core import QgsApplication, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
layer = QgsVectorLayer(sys.argv[1] + "|layername=evidence", "e", "ogr")
out = {"style": layer.renderer().type(), "tip": bool(layer.mapTipTemplate()), "n": layer.featureCount(),
       "reviews": [f["review"] or None for f in layer.getFeatures()],
       "metadata": gdal.OpenEx(sys.argv[1]).GetMetadata(),
       "styles": sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM layer_styles").fetchone()[0]}
del layer
app.exitQgis()
print(json.dumps(out))
"""


def test_a_copy_to_hand_over_is_one_file_with_styles_provenance_and_the_review(project, opened, tmp_path):
    layer = opened.evidence
    layer.startEditing()
    layer.changeAttributeValue(1, layer.fields().indexOf("review"), "rejected")
    layer.commitChanges()
    assert (tmp_path / "run.gpkg-wal").exists()
    folder = tmp_path / "colleague"
    folder.mkdir()
    made = hand_over(opened.path, folder / "answer")
    assert made == folder / "answer.gpkg"
    assert [one.name for one in folder.iterdir()] == ["answer.gpkg"]
    run = subprocess.run(
        [sys.executable, "-c", READ, str(made)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    seen = json.loads(run.stdout.splitlines()[-1])
    assert seen["style"] == "categorizedSymbol"
    assert seen["tip"]
    assert seen["styles"] == 4
    assert seen["reviews"][:2] == ["rejected", None]
    assert "configuration" in json.dumps(seen["metadata"])
    assert "rejected in review" in engine("audit", made).stdout
    assert hand_over(opened.path, made) == made  # again: nobody has it open


def test_handing_over_refuses_what_is_open(project, opened, tmp_path):
    with pytest.raises(LayerError, match="is the file that is open"):
        hand_over(opened.path, opened.path)
    other = Path(shutil.copy(opened.path, tmp_path / "other.gpkg"))
    (tmp_path / "other.gpkg-wal").write_bytes(b"x")
    before = other.read_bytes()
    with pytest.raises(LayerError, match="is open in a program"):
        hand_over(opened.path, other)
    assert other.read_bytes() == before
    with pytest.raises(LayerError, match="could not be written"):
        hand_over(opened.path, tmp_path / "nowhere" / "a.gpkg")


def test_map_tips_escape_what_a_model_wrote(project):
    layer = QgsVectorLayer("Polygon?field=quote:string", "x", "memory")
    feature = QgsFeature(layer.fields())
    feature["quote"] = "<img src=x onerror='alert(1)'>\"&"
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(feature)
    tip = QgsExpression.replaceExpressionText(look.map_tip('"quote"'), context)
    assert "<img" not in tip
    assert "&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&quot;&amp;" in tip
