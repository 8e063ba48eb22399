"""The plugin in another language, and switched off and on again."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextBrowser,
    QWidget,
)
from qgis.utils import loadPlugin, plugins, startPlugin, unloadPlugin

from tests.plugin.e2e.dock_hands import PLUGIN, ask, demo, desk, prepared, shown, until_answered, until_boxes


def reads_every_word(driver, zip_path: str, engine: str, question: str):
    """All texts of the dock before, while and after asking. Found by their places: their words are another language."""
    dock = prepared(driver, zip_path, engine)
    panel = dock.ask_panel
    words = set(_words(dock))
    driver.screenshot("german-empty")
    panel.demo_scene_requested.emit()
    driver.drawn()
    panel.engine_start_requested.emit()
    driver.wait_until(lambda: desk().engines.is_ready, 120, "the engine is ready")
    driver.type(panel.question, question)
    panel.more.set_open(True)
    driver.wait(1)
    words |= set(_words(dock))
    panel.more.set_open(False)
    driver.click(panel.ask)
    until_boxes(driver, dock)
    words |= set(_words(dock))
    driver.wait_until(
        lambda: desk().showing.run.layers is not None and not desk().asking.is_busy, 180, "answered"
    )
    driver.drawn()
    driver.click(dock.answer_panel.review_button)
    driver.wait(0.5)
    words |= set(_words(dock))
    driver.screenshot("german-answered")
    desk().runs.show()
    driver.wait(0.3)
    words |= set(_words(desk().runs._dialog))
    driver.screenshot("german-history", screen=True)
    desk().showing.run.layers.evidence.rollBack()
    return sorted(words)


def _words(top: QWidget) -> list:
    found = []
    for one in [top, *top.findChildren(QWidget)]:
        if not one.isVisible():
            continue
        found.append(one.toolTip())
        if isinstance(one, (QLabel, QAbstractButton)):
            found.append(one.text())
        elif isinstance(one, QComboBox):
            found += [one.itemText(n) for n in range(one.count())]
        elif isinstance(one, (QLineEdit, QPlainTextEdit)):
            found.append(one.placeholderText())
        elif isinstance(one, QTextBrowser):
            found += one.toPlainText().split("\n")
    return [text for text in found if text]


def is_switched_off_while_asking(driver, zip_path: str, engine: str, project: str):
    """As Plugins > Manage does it, and the Plugin Reloader; then on again."""
    dock = prepared(driver, zip_path, engine)
    demo(driver, dock)
    driver.save_project(project)
    canvas, window = driver.iface.mapCanvas(), driver.iface.mainWindow()
    ask(driver, dock)
    until_boxes(driver, dock, 1)
    items = len(canvas.scene().items())
    QTimer.singleShot(
        0, lambda: unloadPlugin(PLUGIN)
    )  # in the loop that waits: what is deleted later is deleted in it
    driver.wait(1.5)
    found = {
        "docks": [one.objectName() for one in window.findChildren(QDockWidget, "GroundproofDock")],
        "provider": QgsApplication.processingRegistry().providerById("groundproof") is not None,
        "fewer items": len(canvas.scene().items()) < items,
        "loaded": PLUGIN in plugins,
    }
    canvas.zoomByFactor(0.9)
    driver.drawn()
    for layer in driver.layers("groundproof demo scene"):
        layer.setName("demo")
    assert loadPlugin(PLUGIN)
    assert startPlugin(PLUGIN)
    dock = driver.dock("GroundproofDock")
    driver.wait_until(lambda: dock.messages.sentence, 10, "what became of the question")
    found["said"] = dock.messages.sentence
    driver.screenshot("trouble-switched-off")
    driver.click(driver.button(dock.messages, "Go on"))
    until_answered(driver, dock)
    return {**found, **shown(dock)}
