"""A dock at work without a desktop: the plugin's own widgets and controllers around a real canvas and project."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtWidgets import QMainWindow

from groundproof_qgis.control.desk import Desk
from groundproof_qgis.engine.local import LocalEngine
from groundproof_qgis.gui.dock import GroundproofDock
from tests.plugin.engine_waiting import until

ANSWER_S = 120.0


class Iface:
    """What the desk needs of QGIS's interface."""

    def __init__(self) -> None:
        self.window = QMainWindow()
        self.canvas = QgsMapCanvas()
        self.canvas.resize(640, 480)
        self.window.setCentralWidget(self.canvas)
        self.window.resize(1100, 700)
        self.window.show()
        self.active = None

    def mainWindow(self) -> QMainWindow:  # noqa: N802 - QGIS's name
        return self.window

    def mapCanvas(self) -> QgsMapCanvas:  # noqa: N802 - QGIS's name
        return self.canvas

    def setActiveLayer(self, layer: object) -> bool:  # noqa: N802 - QGIS's name
        self.active = layer
        return True

    def showOptionsDialog(self, *_: object) -> None:  # noqa: N802 - QGIS's name
        """There is none."""


class AtWork:
    """A desk and everything a test looks at."""

    def __init__(self, local: LocalEngine) -> None:
        self.iface = Iface()
        self.project = QgsProject.instance()
        self.dock = GroundproofDock(self.iface.window)
        self.desk = Desk(self.dock, self.iface, self.project, local)
        self.canvas = self.iface.canvas
        self.panel, self.answers, self.messages = (
            self.dock.ask_panel,
            self.dock.answer_panel,
            self.dock.messages,
        )

    def close(self) -> None:
        """As the plugin does it."""
        if self.desk is not None:
            self.desk.close()
            self.desk = None
        self.dock.deleteLater()
        self.iface.window.close()

    def show(self, layer: object, extent: QgsRectangle | None = None) -> None:
        """A layer in the project, the canvas on it."""
        self.project.addMapLayer(layer)
        self.look_at(layer, extent or layer.extent())

    def look_at(self, layer: object, extent: QgsRectangle) -> None:
        """The canvas shows this layer there."""
        self.canvas.setDestinationCrs(layer.crs())
        self.canvas.setLayers([layer])
        self.canvas.setExtent(extent)

    def press_ask(self, question: str = "How many airplanes are there?") -> None:
        """Type and press."""
        self.panel.question.set_text(question)
        self.panel.ask.click()

    def until_answered(self) -> None:
        """Until the run that is shown has its layers."""
        until(lambda: not self.desk.asking.is_busy, ANSWER_S)
        until(lambda: self.desk.showing.run.layers is not None, 20)

    @property
    def size(self) -> str:
        """What would be sent, as the dock says it."""
        return self.panel.size.text()


def records(folder: Path) -> list[Path]:
    """Of runs in a folder."""
    return sorted(folder.glob("*.json"))
