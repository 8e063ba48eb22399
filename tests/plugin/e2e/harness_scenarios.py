"""What the harness's own tests do inside QGIS. No pytest here: QGIS's Python has none."""

from __future__ import annotations

import time

from qgis.core import QgsPointXY
from qgis.PyQt.QtWidgets import QMessageBox


def asks_and_is_answered(driver, zip_path: str, raster: str, project: str):
    driver.install(zip_path, "trivial")
    layer = driver.add_raster(raster)
    dock = driver.dock("TrivialDock")
    line = driver.find(dock, "line")
    driver.type(line, "How many?")
    asked = driver.dialog(lambda box: box.button(QMessageBox.StandardButton.Yes).click())
    driver.click(driver.find(dock, "go"))
    asked()
    text = driver.find(dock, "text")
    answer = text.toPlainText()
    driver.click_link(text, "groundproof:E1")
    centre = layer.extent().center()
    place = driver.canvas_point(QgsPointXY(centre))
    driver.screenshot("harness")
    driver.save_project(project)
    driver.new_project()
    driver.open_project(project)
    size = driver.iface.mapCanvas().size()
    return {
        "answer": answer,
        "link": line.text(),
        "off_centre": [place.x() - size.width() / 2, place.y() - size.height() / 2],
        "layers": [one.name() for one in driver.layers("scene")],
    }


def raises(driver):
    driver.wait_until(lambda: False, 0.2, "something that never is")


def shows_a_python_error(driver, zip_path: str):
    driver.install(zip_path, "trivial")
    dock = driver.dock("TrivialDock")
    driver.type(driver.find(dock, "line"), "fail")
    driver.click(driver.find(dock, "go"))


def finds_the_plugin_again(driver):
    return driver.dock("TrivialDock").windowTitle()


def hangs(driver):
    time.sleep(60)
