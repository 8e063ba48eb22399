"""Results of people one should not trust: what their style holds beside colours does not reach QGIS."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from qgis.core import (
    QgsAction,
    QgsEditFormConfig,
    QgsEditorWidgetSetup,
    QgsFillSymbol,
    QgsProject,
    QgsRasterFillSymbolLayer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtXml import QDomDocument

from groundproof_qgis.layers.result import KINDS
from groundproof_qgis.processing import dressing
from tests.plugin.opened import open_result
from tests.plugin.results import result

EVIL = "raise SystemExit('their Python ran')"
BEACON = "https://beacon.invalid/seen.png"


def poisoned(path: Path, kind: str) -> None:
    """Write a style that carries Python, an action, a page and a picture into the file."""
    layer = QgsVectorLayer(f"{path}|layername={kind}", kind, "ogr")
    form = layer.editFormConfig()
    form.setInitCodeSource(QgsEditFormConfig.PythonInitCodeSource.CodeSourceDialog)
    form.setInitCode(EVIL)
    form.setInitFunction("form_open")
    form.setUiForm("their.ui")
    layer.setEditFormConfig(form)
    layer.actions().addAction(QgsAction(QgsAction.ActionType.GenericPython, "Open", EVIL))
    layer.setMapTipTemplate(f'<img src="{BEACON}">')
    layer.setDisplayExpression("env('HOME')")
    layer.setEditorWidgetSetup(2, QgsEditorWidgetSetup("TextEdit", {"UseHtml": True}))
    layer.setEditorWidgetSetup(1, QgsEditorWidgetSetup("ExternalResource", {"DocumentViewer": 2}))
    symbol = QgsFillSymbol()
    symbol.changeSymbolLayer(0, QgsRasterFillSymbolLayer(BEACON))
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    document = QDomDocument("qgis")
    layer.exportNamedStyle(document)
    qml = document.toString()
    assert EVIL.replace("'", "&apos;") in qml or EVIL in qml
    with sqlite3.connect(str(path)) as database:
        changed = database.execute(
            "UPDATE layer_styles SET styleQML = ? WHERE f_table_name = ? AND useAsDefault", (qml, kind)
        ).rowcount
    database.close()
    assert changed == 1


def style_of(layer: QgsVectorLayer) -> str:
    document = QDomDocument("qgis")
    layer.exportNamedStyle(document)
    return document.toString()


def assert_harmless(layer: QgsVectorLayer) -> None:
    assert layer.actions().actions() == []
    form = layer.editFormConfig()
    assert form.initCodeSource() == QgsEditFormConfig.PythonInitCodeSource.CodeSourceNone
    assert (form.initCode(), form.uiForm()) == ("", "")
    for theirs in ("their Python", "beacon.invalid", "their.ui", "HOME", "ExternalResource"):
        assert theirs not in style_of(layer)
    assert layer.editorWidgetSetup(2).config() == {"IsMultiline": True, "UseHtml": False}
    assert layer.mapTipTemplate().startswith("<div")


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.mark.parametrize("kind", KINDS)
def test_a_strangers_style_brings_neither_code_nor_pages_nor_pictures(project, tmp_path, kind):
    path = result(tmp_path)
    poisoned(path, kind)
    plain = QgsVectorLayer(f"{path}|layername={kind}", kind, "ogr")
    assert plain.editFormConfig().initCode() == EVIL  # QGIS by itself takes all of it
    assert "beacon.invalid" in plain.mapTipTemplate()
    layers = {layer.source().rsplit("=", 1)[1]: layer for layer in open_result(project, path, "r", "run")}
    assert_harmless(layers[kind])


def test_what_processing_loads_is_harmless_too(qgis_app, tmp_path):
    path = result(tmp_path)
    poisoned(path, "evidence")
    layer = QgsVectorLayer(f"{path}|layername=evidence", "evidence", "ogr")
    dresser = dressing._dresser("evidence", dressing._dress_evidence)
    dresser.postProcessLayer(layer, None, None)
    assert_harmless(layer)
