"""Where a question is about: a rectangle drawn with the mouse, selected polygons, two dates; asked again, compared."""

from __future__ import annotations

from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsProject, QgsRectangle, QgsVectorLayer

from tests.plugin.e2e.dock_hands import (
    answered,
    choose_where,
    demo,
    desk,
    hrefs,
    pick_pixels,
    prepared,
    record,
    shown,
    until_answered,
)

PARCELS = ("west field", "east field")


def asks_about_places(driver, zip_path: str, engine: str, folder: str):
    """All on the demo scene, small places of it: quick."""
    dock = prepared(driver, zip_path, engine)
    demo(driver, dock)
    driver.save_project(f"{folder}/places.qgz")
    scene = driver.layers("groundproof demo scene")[0]
    found = {"rectangle": _a_rectangle(driver, dock, scene)}
    found["again"] = _again(driver, dock)
    found["parcels"] = _parcels(driver, dock, scene)
    found["change"] = _two_dates(driver, dock, scene)
    return found


def _a_rectangle(driver, dock, scene) -> dict:
    extent = scene.extent()
    choose_where(driver, dock, "rectangle")
    driver.click(dock.ask_panel.where.draw)
    middle = extent.center()
    west = QgsPointXY(middle.x() - 40, middle.y() + 60)
    east = QgsPointXY(middle.x() + 80, middle.y() - 60)
    driver.drag_map(west, east)
    driver.wait(0.5)
    said = dock.ask_panel.size.text()
    evidence = answered(driver, dock)
    driver.screenshot("places-rectangle")
    drawn = QgsRectangle(west, east)
    boxes = [one.geometry() for one in evidence.getFeatures()]
    outside = [one for one in boxes if not one.intersects(QgsGeometry.fromRect(drawn))]
    area = next(desk().showing.run.layers.answers.getFeatures()).geometry().boundingBox()
    return {
        **shown(dock),
        "said": said,
        "outside": len(outside),
        "off": max(abs(area.xMinimum() - drawn.xMinimum()), abs(area.yMaximum() - drawn.yMaximum())),
    }


def _again(driver, dock) -> dict:
    """From the history: fill in, ask, compare the two."""
    choose_where(driver, dock, "canvas")
    driver.click(dock.answer_panel.history_button)
    dialog = desk().runs._dialog
    driver.wait_until(dialog.isVisible, 10, "the history")
    dialog.list.topLevelItem(0).setSelected(True)
    driver.click(driver.button(dialog, "Ask again"))
    dialog.close()
    driver.wait(0.5)
    found = {"where": dock.ask_panel.form().where.kind, "question": dock.ask_panel.form().question}
    before = desk().showing.run
    driver.click(dock.ask_panel.ask)
    driver.wait_until(lambda: desk().showing.run is not before, 20, "asked again")
    until_answered(driver, dock)
    driver.click(dock.answer_panel.history_button)
    driver.wait_until(dialog.isVisible, 10, "the history")
    for n in (0, 1):
        dialog.list.topLevelItem(n).setSelected(True)
    driver.click(driver.button(dialog, "Compare"))
    driver.wait_until(lambda: driver.layers("changes"), 60, "the comparison")
    dialog.close()
    driver.drawn()
    driver.screenshot("places-compared")
    changes = driver.layers("changes")[0]
    return {
        **found,
        **shown(dock),
        "changes": sorted({one["change"] for one in changes.getFeatures()}),
        "compared": changes.featureCount(),
    }


def _parcels(driver, dock, scene) -> dict:
    """One answer for each of two selected polygons; its links know which."""
    layer = QgsVectorLayer("Polygon?field=name:string", "parcels", "memory")
    layer.setCrs(scene.crs())
    layer.setCustomProperty("skipMemoryLayersCheck", 1)
    layer.setDisplayExpression('"name"')
    extent = scene.extent()
    middle, top = extent.center(), extent.yMaximum()
    for name, left in zip(PARCELS, (middle.x() - 150, middle.x() + 20)):
        one = QgsFeature(layer.fields())
        one.setAttributes([name])
        one.setGeometry(QgsGeometry.fromRect(QgsRectangle(left, top - 260, left + 130, top - 130)))
        layer.dataProvider().addFeature(one)
    layer.updateExtents()
    QgsProject.instance().addMapLayer(layer, False)
    QgsProject.instance().layerTreeRoot().addLayer(layer)
    layer.selectAll()
    driver.wait(0.3)
    choose_where(driver, dock, "selection")
    dock.ask_panel.options.per_polygon.setChecked(True)
    driver.wait(0.3)
    answered(driver, dock)
    panel = dock.answer_panel
    run = desk().showing.run
    driver.screenshot("places-parcels")
    found = {
        **shown(dock),
        "parts": [part.name for part in run.answer.parts.values()]
        if all(hasattr(part, "name") for part in run.answer.parts.values())
        else list(run.answer.parts),
        "answers": sorted(
            one["name"] if "name" in one.fields().names() else "" for one in run.layers.answers.getFeatures()
        ),
    }
    hit = next((one for one in run.answer.evidence if one.answer_id == "A2"), None)
    if hit is not None:
        driver.click_link(
            panel.synthesis, next(href for href in hrefs(panel.synthesis.document()) if "A2" in href)
        )
        found["selected"] = sorted({one.split(":")[0] for one in panel.view.selected_keys})
    layer.removeSelection()
    choose_where(driver, dock, "canvas")
    return found


def _two_dates(driver, dock, scene) -> dict:
    """The same place twice: two raster layers, the task change."""
    second = scene.clone()
    second.setName("later")
    QgsProject.instance().addMapLayer(second, False)
    QgsProject.instance().layerTreeRoot().addLayer(second)
    driver.wait(0.3)
    panel = dock.ask_panel
    panel.task.pick("change")
    panel.task.picked.emit()
    driver.wait(0.3)
    pick_pixels(driver, panel.pixels.before, "groundproof demo")
    pick_pixels(driver, panel.pixels.after, "later")
    choose_where(driver, dock, "rectangle")
    driver.wait(0.5)
    said = panel.size.text()
    driver.screenshot("places-two-dates")
    answered(driver, dock, "What has changed?")
    driver.screenshot("places-change")
    return {**shown(dock), "said": said, "task": record()["task"], "status": record()["status"]}
