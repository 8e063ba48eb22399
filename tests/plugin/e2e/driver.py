"""Inside the QGIS desktop: hands and eyes for a scenario, on the GUI thread, never blocking it.

Waiting turns an event loop of its own, so QGIS stays alive meanwhile. What is pressed goes through Qt's events, as a
person's clicks do. Knows QGIS and Qt; refuses to know the plugin.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
import traceback
from pathlib import Path
from typing import Any, Callable

from qgis.core import Qgis, QgsApplication, QgsPointXY, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QEventLoop, QObject, QPoint, Qt, QTimer
from qgis.PyQt.QtGui import QTextCursor, QTextDocument
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QComboBox, QDockWidget, QPushButton, QTextBrowser, QWidget
from qgis.utils import iface, plugins

LEFT = Qt.MouseButton.LeftButton


class Driver:
    """What a scenario holds. iface: QGIS's. notes: what goes into the result beside what the scenario returns.

    patience: all limits of waiting are that many times longer.
    """

    def __init__(self, screenshots: Path, patience: float = 1) -> None:
        self.iface = iface
        self._patience = patience
        self.notes: dict[str, Any] = {}
        self.log: list[tuple[str, str, str]] = []
        self._screenshots = screenshots
        QgsApplication.messageLog().messageReceived.connect(self._logged)
        window = iface.mainWindow()
        window.move(0, 0)  # there is no window manager to do it
        window.resize(1600, 1000)
        window.activateWindow()

    def _logged(self, text: str, tag: str, level: Qgis.MessageLevel) -> None:
        self.log.append((tag, str(level), text))

    # Time

    def wait(self, seconds: float) -> None:
        """Let QGIS live for a while."""
        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()

    def wait_until(self, condition: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
        """What `condition` returned when it first was true. Raises AssertionError when that takes longer."""
        seconds *= self._patience
        end = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"not after {seconds} s: {what or condition}")
            self.wait(0.02)

    # The plugin and the project

    def install(self, zip_path: str, name: str) -> Any:
        """The plugin, installed from a zip as Plugins > Install from ZIP does it, and started."""
        import pyplugin_installer

        pyplugin_installer.instance().installFromZipFile(zip_path)
        return self.wait_until(lambda: plugins.get(name), 20, f"the plugin {name} is loaded")

    def add_raster(self, path: str, name: str | None = None) -> QgsRasterLayer:
        """A raster in the project, the canvas on it."""
        layer = QgsRasterLayer(path, name or Path(path).stem)
        assert layer.isValid(), path
        return self.add_layer(layer)

    def add_layer(self, layer: Any) -> Any:
        """A layer in the project, the canvas on it. With the first layer the project takes its CRS, as in QGIS."""
        first = not QgsProject.instance().mapLayers()
        QgsProject.instance().addMapLayer(layer)
        if first:
            QgsProject.instance().setCrs(layer.crs())
        self.zoom_to(layer)
        return layer

    def zoom_to(self, layer: Any) -> None:
        """The canvas on a layer's extent, drawn."""
        self.iface.setActiveLayer(layer)
        self.iface.zoomToActiveLayer()
        self.drawn()

    def drawn(self, seconds: float = 30) -> None:
        """Wait until the canvas has finished drawing."""
        canvas = self.iface.mapCanvas()
        canvas.waitWhileRendering()
        self.wait(0.2)
        self.wait_until(lambda: not canvas.isDrawing(), seconds, "the canvas is drawn")

    def layers(self, name: str) -> list[QgsVectorLayer]:
        """The project's layers of this name."""
        return list(QgsProject.instance().mapLayersByName(name))

    def save_project(self, path: str) -> None:
        """Project > Save as."""
        assert QgsProject.instance().write(path), QgsProject.instance().error()

    def new_project(self) -> None:
        """Project > New, nothing kept."""
        self.iface.newProject(False)
        self.wait(0.3)

    def open_project(self, path: str) -> None:
        """Project > Open."""
        assert self.iface.addProject(path), path
        self.drawn()

    # Widgets

    def dock(self, name: str, seconds: float = 20) -> QDockWidget:
        """A dock by its object name, when it is there and visible."""
        window = self.iface.mainWindow()
        return self.wait_until(
            lambda: next((d for d in window.findChildren(QDockWidget, name) if d.isVisible()), None),
            seconds,
            f"the dock {name} is visible",
        )

    def find(self, parent: QObject, name: str, kind: type = QWidget, seconds: float = 10) -> Any:
        """A child by its object name (and class), when it is there."""
        return self.wait_until(
            lambda: parent.findChild(kind, name), seconds, f"{name} is in {parent.objectName()}"
        )

    def button(self, parent: QWidget, text: str, seconds: float = 10) -> QPushButton:
        """A visible button by its words, without its shortcut's &."""
        return self.wait_until(
            lambda: next(
                (
                    b
                    for b in parent.findChildren(QPushButton)
                    if b.text().replace("&", "") == text and b.isVisible()
                ),
                None,
            ),
            seconds,
            f"the button {text!r} is there",
        )

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """The left button on a widget (its middle) that can be clicked."""
        self.wait_until(
            lambda: widget.isVisible() and widget.isEnabled(), 10, f"{widget.objectName()} can be clicked"
        )
        QTest.mouseClick(
            widget, LEFT, Qt.KeyboardModifier.NoModifier, at if at is not None else widget.rect().center()
        )
        self.wait(0.05)

    def type(self, widget: QWidget, text: str) -> None:
        """Keys into a widget, replacing what it holds."""
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(widget, text)
        self.wait(0.05)

    def press(self, widget: QWidget, key: Qt.Key) -> None:
        """One key."""
        QTest.keyClick(widget, key)
        self.wait(0.05)

    def choose(self, box: QComboBox, text: str) -> None:
        """An entry of a combo box, as picking it in the list does."""
        index = box.findText(text)
        assert index >= 0, (text, [box.itemText(i) for i in range(box.count())])
        box.setCurrentIndex(index)
        box.activated.emit(index)
        self.wait(0.05)

    def click_link(self, browser: QTextBrowser, address: str) -> None:
        """A link in a text, where it stands."""
        cursor = self._link(browser.document(), address)
        browser.setTextCursor(cursor)
        browser.ensureCursorVisible()
        self.click(browser.viewport(), browser.cursorRect(cursor).center() + QPoint(3, 0))

    @staticmethod
    def _link(document: QTextDocument, address: str) -> QTextCursor:
        block = document.begin()
        while block.isValid():
            fragments = block.begin()
            while not fragments.atEnd():
                fragment = fragments.fragment()
                if fragment.charFormat().anchorHref() == address:
                    cursor = QTextCursor(document)
                    cursor.setPosition(fragment.position())
                    return cursor
                fragments += 1
            block = block.next()
        raise AssertionError(f"no link {address} in: {document.toPlainText()}")

    def dialog(self, handler: Callable[[QWidget], Any], seconds: float = 20) -> Callable[[], Any]:
        """Hands the next modal dialog to `handler` (which presses something) when it opens.

        Call it before what opens the dialog. Returns a function that waits until that happened.
        """
        handled: list[Any] = []
        timer = QTimer()

        def look() -> None:
            box = QApplication.activeModalWidget()
            if box is not None and box.isVisible():
                timer.stop()
                handled.append(handler(box))

        timer.timeout.connect(look)
        timer.start(50)

        def wait() -> Any:
            try:
                return self.wait_until(lambda: handled, seconds, "a dialog opened")[0]
            finally:
                timer.stop()

        return wait

    # The map

    def canvas_point(self, point: QgsPointXY) -> QPoint:
        """Where a point in the project's CRS is on the canvas, logical pixels."""
        place = self.iface.mapCanvas().mapSettings().mapToPixel().transform(point)
        return QPoint(round(place.x()), round(place.y()))

    def click_map(self, point: QgsPointXY) -> None:
        """The left button on the map. point: in the project's CRS."""
        self.click(self.iface.mapCanvas().viewport(), self.canvas_point(point))

    def drag_map(self, begin: QgsPointXY, end: QgsPointXY) -> None:
        """From one point to another with the left button held, both in the project's CRS."""
        viewport = self.iface.mapCanvas().viewport()
        start, stop = self.canvas_point(begin), self.canvas_point(end)
        QTest.mousePress(viewport, LEFT, Qt.KeyboardModifier.NoModifier, start)
        for i in range(1, 6):
            QTest.mouseMove(viewport, start + (stop - start) * (i / 5))
            self.wait(0.02)
        QTest.mouseRelease(viewport, LEFT, Qt.KeyboardModifier.NoModifier, stop)
        self.wait(0.05)

    # Eyes

    def screenshot(self, name: str, *, screen: bool = False) -> str:
        """A picture of QGIS's window, or of the whole screen with its dialogs; its path."""
        path = self._screenshots / f"{name}.png"
        window = self.iface.mainWindow()
        picture = QApplication.primaryScreen().grabWindow(0) if screen else window.grab()
        assert picture.save(str(path)), path
        return str(path)


def _loaded(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("groundproof_scenarios", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(task: dict[str, Any]) -> dict[str, Any]:
    driver = Driver(Path(task["screenshots"]), task["patience"])
    found, error, began = None, None, time.monotonic()
    try:
        found = getattr(_loaded(task["file"]), task["name"])(driver, **task["words"])
    except BaseException:  # noqa: BLE001  whatever it is, the test outside must hear of it
        error = traceback.format_exc()
        driver.screenshot(f"failed-{task['name']}", screen=True)
    seconds = time.monotonic() - began
    return {"result": found, "error": error, "seconds": seconds, "notes": driver.notes, "log": driver.log}


def start() -> None:
    """Runs the scenario named by GROUNDPROOF_E2E_TASK once the desktop turns its event loop; then leaves QGIS."""
    task = json.loads(Path(os.environ["GROUNDPROOF_E2E_TASK"]).read_text())

    def run() -> None:
        done = _run(task)
        Path(task["result"]).write_text(json.dumps(done, default=str))
        still_here = str(Path(task["screenshots"]) / f"failed-{task['name']}-leaving.png")
        QTimer.singleShot(10000, lambda: QApplication.primaryScreen().grabWindow(0).save(still_here))
        QgsProject.instance().setDirty(False)
        iface.actionExit().trigger()

    QTimer.singleShot(500, run)
