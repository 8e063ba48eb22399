"""What docs/qgis.md shows: the dock on the demo scene, step by step. Run by scripts/plugin_pictures."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProject, QgsSettings
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QApplication, QDockWidget
from qgis.utils import plugins


def draws_the_pictures(driver, zip_path: str, engine: str):
    """1: boxes come while the model writes. 2: a sentence and its box. 3: a review. 4: two runs compared."""
    QgsSettings().setValue("groundproof/engine/command", engine)
    driver.install(zip_path, "groundproof_qgis")
    dock = driver.dock("GroundproofDock")
    window, canvas = driver.iface.mainWindow(), driver.iface.mapCanvas()
    window.resize(1360, 860)
    next(one for one in window.findChildren(QDockWidget, "Browser")).hide()
    panel = dock.answer_panel
    driver.click(driver.button(dock, "Start"))
    driver.wait_until(lambda: "ready" in dock.engine_line.sentence.text(), 120, "the engine is ready")
    driver.click(driver.button(dock, "Open the demo scene"))
    window.resizeDocks([dock], [420], Qt.Orientation.Horizontal)
    window.resizeDocks(
        [next(d for d in window.findChildren(QDockWidget, "Layers"))], [210], Qt.Orientation.Horizontal
    )
    scene = QgsProject.instance().mapLayersByName("groundproof demo scene")[0]
    driver.zoom_to(scene)
    driver.type(dock.ask_panel.question, "How many airplanes are there?")
    sizing = plugins["groundproof_qgis"]._desk.sizing
    driver.wait_until(lambda: sizing.size is not None and sizing.size.seconds is not None, 60, "a time")
    driver.click(dock.ask_panel.ask)
    driver.wait_until(lambda: panel.model.total > 6, 120, "boxes come")
    driver.wait(0.6)
    canvas.waitWhileRendering()
    driver.iface.messageBar().clearWidgets()
    driver.screenshot("qgis-growing")
    driver.wait_until(lambda: driver.layers("evidence"), 180, "the result's layers")
    driver.wait_until(lambda: panel.review_button.isEnabled(), 20, "the answer is complete")
    layer = driver.layers("evidence")[0]
    driver.drawn()
    driver.iface.messageBar().clearWidgets()
    sixth = next(layer.getFeatures("\"evidence_id\" = 'E6'"))
    layer.selectByIds([sixth.id()])
    driver.wait(0.5)
    driver.drawn()
    driver.screenshot("qgis-answered")
    layer.removeSelection()
    driver.click(panel.review_button)
    keys = [one.key for one in panel._answer.evidence]
    panel.review_requested.emit(keys[:9], "accepted")
    panel.review_requested.emit([keys[11]], "rejected")
    panel.select_evidence([keys[11]])
    driver.wait(0.5)
    driver.drawn()
    driver.iface.messageBar().clearWidgets()
    driver.screenshot("qgis-review")
    driver.click(panel.review_button)
    driver.wait_until(lambda: not layer.isEditable(), 20, "the review is saved")
    driver.wait(3)
    canvas.zoomByFactor(0.7)
    driver.drawn()
    driver.click(dock.ask_panel.ask)
    driver.wait_until(lambda: panel._answer is not None and panel._answer.is_running, 20, "asked again")
    driver.wait_until(lambda: panel.review_button.isEnabled(), 180, "answered again")
    driver.wait(1)
    desk = plugins["groundproof_qgis"]._desk
    desk.runs._chosen("compare", [one.record.run_id for one in reversed(desk.runs.all())])
    driver.wait_until(lambda: driver.layers("changes"), 60, "the comparison")
    changes = driver.layers("changes")[0]
    root = QgsProject.instance().layerTreeRoot()
    for one in QgsProject.instance().mapLayers().values():
        if one.customProperty("groundproof/layer") not in (None, "compare"):
            root.findLayer(one.id()).setItemVisibilityChecked(False)
    root.findLayer(changes.id()).parent().setExpanded(True)
    driver.iface.messageBar().clearWidgets()
    driver.drawn()
    driver.screenshot("qgis-compared")
    QApplication.processEvents()
    return str(Path(driver._screenshots))
