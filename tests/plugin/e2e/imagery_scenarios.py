"""Real imagery in the dock: what is seen and the layer's own pixels, links both ways, saving and finding again."""

from __future__ import annotations

from qgis.core import QgsPointXY, QgsProject

from tests.plugin.e2e.dock_hands import (
    Heartbeat,
    answered,
    ask,
    desk,
    hrefs,
    pick_pixels,
    prepared,
    record,
    shown,
    start_engine,
    until_answered,
    until_boxes,
)

QUESTION = "How many trees are there?"


def asks_about_real_imagery(driver, zip_path: str, engine: str, raster: str, project: str):
    """Twice: what is seen, then the layer's own pixels."""
    dock = prepared(driver, zip_path, engine)
    layer = driver.add_raster(raster)
    start_engine(driver, dock)
    panel = dock.answer_panel
    driver.wait_until(lambda: "tile" in dock.ask_panel.size.text(), 30, "an estimate")
    found = {"estimate": dock.ask_panel.size.text()}
    beat = Heartbeat()
    ask(driver, dock, QUESTION)
    until_boxes(driver, dock)
    evidence = until_answered(driver, dock)
    driver.notes["longest GUI stall, ms"] = beat.stop()
    found["seen"] = {**shown(dock), "file": record()["status"]}
    found["inside"] = layer.extent().buffered(1).contains(evidence.extent())
    driver.screenshot("real-seen")
    pick_pixels(driver, dock.ask_panel.pixels.one, layer.name())
    found["pixels"] = dock.ask_panel.pixels.one.currentText()
    evidence = answered(driver, dock, QUESTION)
    found["own"] = shown(dock)
    found["links"] = _links(driver, dock, evidence)
    driver.screenshot("real-own")
    driver.save_project(project)
    found["kept"] = shown(dock)
    driver.new_project()
    found["empty"] = panel.model.total
    return found


def _links(driver, dock, evidence) -> dict:
    """A real click on a number in the synthesis, then one on another box on the map."""
    canvas, panel = driver.iface.mapCanvas(), dock.answer_panel
    before = canvas.extent()
    link = next(href for href in hrefs(panel.synthesis.document()) if "E1" in href)
    flashed = len(canvas.scene().items())
    driver.click_link(panel.synthesis, link)
    flashing = len(canvas.scene().items()) - flashed
    driver.drawn()
    driver.screenshot("real-link")
    found = {
        "link": link,
        "selected": sorted(panel.view.selected_keys),
        "on the map": sorted(feature["evidence_id"] for feature in evidence.selectedFeatures()),
        "flashing": flashing > 0,
        "in view": canvas.extent().contains(evidence.boundingBoxOfSelected()),
    }
    panel.view.mark([])
    panel.evidence_activated.emit(["A1:E1"])
    driver.drawn()
    found["flew"] = canvas.extent().width() < before.width() / 2
    canvas.setExtent(before)
    canvas.refresh()
    driver.drawn()
    feature = next(one for one in evidence.getFeatures() if _is_alone(one, evidence))
    driver.click_map(QgsPointXY(feature.geometry().boundingBox().center()))
    driver.wait(0.3)
    found["clicked"] = feature["evidence_id"]
    found["row"] = panel.view.selected_keys
    return found


def _is_alone(one, evidence) -> bool:
    others = [other for other in evidence.getFeatures() if other.id() != one.id()]
    return not any(other.geometry().intersects(one.geometry()) for other in others)


def finds_everything_again(driver, project: str):
    """Another start of QGIS: the plugin is there, the project opened, nothing is lost."""
    dock = driver.dock("GroundproofDock")
    driver.open_project(project)
    driver.wait_until(lambda: dock.answer_panel.model.total > 0, 30, "the answer")
    driver.wait(0.5)
    found = {"shown": shown(dock), "layers": len(driver.layers("evidence"))}
    driver.click(dock.answer_panel.history_button)
    dialog = desk().runs._dialog
    driver.wait_until(dialog.isVisible, 10, "the history")
    driver.wait(0.3)
    found["history"] = [
        [dialog.list.topLevelItem(n).text(column) for column in (0, 2)]
        for n in range(dialog.list.topLevelItemCount())
    ]
    driver.screenshot("real-history", screen=True)
    dialog.close()
    found["imagery"] = [
        layer.name() for layer in QgsProject.instance().mapLayers().values() if layer.type() == 1
    ]
    return found
