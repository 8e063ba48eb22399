"""What goes wrong while a question is asked: cancelled, an engine killed, layers and projects gone, QGIS closed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from qgis.core import QgsProject
from qgis.PyQt.QtWidgets import QMessageBox, QPushButton

from tests.plugin.e2e.dock_hands import (
    ask,
    demo,
    desk,
    prepared,
    record,
    shown,
    until_answered,
    until_boxes,
)


def cancels_kills_and_takes_away(driver, zip_path: str, engine: str, project: str):
    """One after another on the demo scene; each time something is left to look at."""
    dock = prepared(driver, zip_path, engine)
    demo(driver, dock)
    driver.save_project(project)
    return {
        "cancelled": _cancels(driver, dock),
        "killed": _kills_the_engine(driver, dock),
        "layer": _takes_the_layer_away(driver, dock),
        "project": _closes_the_project(driver, dock, project),
    }


def _cancels(driver, dock) -> dict:
    ask(driver, dock)
    answer = desk().asking.run.answer
    driver.wait_until(lambda: answer.answered >= 16, 90, "a batch of tiles is done")
    assert dock.ask_panel.ask.text() == "&Cancel"
    driver.click(dock.ask_panel.ask)
    driver.wait_until(lambda: not desk().asking.is_busy, 30, "cancelled")
    driver.wait(1)
    driver.screenshot("trouble-cancelled")
    return {**shown(dock), "status": record()["status"], "layers": len(driver.layers("evidence"))}


def _kills_the_engine(driver, dock) -> dict:
    ask(driver, dock)
    until_boxes(driver, dock, 2)
    before = desk().engines.local._child._process.processId()
    os.kill(before, signal.SIGKILL)
    driver.wait_until(lambda: "has ended" in dock.engine_line.sentence.text(), 20, "a sentence")
    driver.wait(0.3)
    said = dock.engine_line.sentence.text()
    driver.screenshot("trouble-killed")
    button = driver.button(dock.engine_line, "Start again")
    driver.click(button)
    until_answered(driver, dock)
    driver.screenshot("trouble-killed-answered")
    return {"said": said, **shown(dock), "status": record()["status"]}


def _takes_the_layer_away(driver, dock) -> dict:
    ask(driver, dock)
    until_boxes(driver, dock, 1)
    live = desk().asking.run.live
    project = QgsProject.instance()
    project.removeMapLayer(live.layer.id())
    driver.wait(0.3)
    for layer in project.mapLayersByName("groundproof demo scene"):
        project.removeMapLayer(layer.id())
    panel = dock.answer_panel
    driver.wait(0.3)
    panel.evidence_selected.emit([panel.model.evidence(0).key])
    panel.evidence_activated.emit([panel.model.evidence(0).key])
    driver.click_map(driver.iface.mapCanvas().extent().center())
    until_answered(driver, dock)
    return {**shown(dock), "status": record()["status"]}


def _closes_the_project(driver, dock, project: str) -> dict:
    driver.click(driver.button(dock, "Open the demo scene"))
    driver.drawn()
    ask(driver, dock)
    until_boxes(driver, dock, 1)
    driver.save_project(project)
    run = desk().asking.run
    driver.new_project()
    away = shown(dock)
    assert desk().asking.is_busy
    driver.wait_until(lambda: not desk().asking.is_busy, 120, "answered in the background")
    driver.wait(0.5)
    said, layers = dock.messages.sentence, len(driver.layers("evidence"))
    driver.screenshot("trouble-project-closed")
    driver.open_project(project)
    driver.wait_until(lambda: dock.answer_panel.model.total > 0, 20, "the answer")
    return {
        "away": away,
        "said": said,
        "layers": layers,
        "file": run.path.is_file(),
        **shown(dock),
        "status": record()["status"],
    }


def leaves_while_asking(driver, zip_path: str, engine: str, project: str):
    """QGIS is closed in the middle; the driver closes it when this returns."""
    dock = prepared(driver, zip_path, engine)
    demo(driver, dock)
    driver.save_project(project)
    ask(driver, dock)
    until_boxes(driver, dock, 1)
    driver.save_project(project)
    asks_back = driver.dialog(_leave_anyway, 600)
    driver.notes["kept"] = asks_back  # its timer lives until QGIS is gone
    return {"job": record()["job"], "status": record()["status"]}


def _leave_anyway(box) -> None:
    """Whatever QGIS asks before it goes is noted in the task's folder, and answered Yes."""
    text = box.text() if isinstance(box, QMessageBox) else box.windowTitle()
    Path(os.environ["GROUNDPROOF_E2E_TASK"]).with_suffix(".asked").write_text(text)
    yes = [one for one in box.findChildren(QPushButton) if one.text().replace("&", "") in ("Yes", "OK")]
    yes[0].click()


def goes_on_with_it(driver, project: str):
    """The next start: the run is listed as interrupted, and Go on completes it."""
    dock = driver.dock("GroundproofDock")
    driver.open_project(project)
    driver.wait_until(lambda: desk().showing.run is not None, 20, "the run")
    found = {"reopened": shown(dock)}
    driver.screenshot("trouble-interrupted")
    driver.click(dock.answer_panel.history_button)
    dialog = desk().runs._dialog
    driver.wait_until(dialog.isVisible, 10, "the history")
    item = dialog.list.topLevelItem(0)
    found["listed"] = item.text(2)
    dialog.list.setCurrentItem(item)
    item.setSelected(True)
    driver.screenshot("trouble-history", screen=True)
    dialog.close()
    driver.click(driver.button(dock.messages, "Go on"))
    until_answered(driver, dock)
    driver.screenshot("trouble-gone-on")
    return {**found, **shown(dock), "status": record()["status"]}
