"""The plugin in QGIS: a button, a dock, a page of settings, algorithms. Starts and ends all of them.

Knows QGIS's interface. Decides nothing.
"""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication, QgsProject
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from groundproof_qgis.control.desk import Desk
from groundproof_qgis.engine.local import LocalEngine
from groundproof_qgis.gui.dock import WIDTH_PX, GroundproofDock
from groundproof_qgis.gui.options_page import OptionsFactory
from groundproof_qgis.i18n_text import install_translator, tr
from groundproof_qgis.processing.provider import GroundproofProvider

HERE = Path(__file__).parent


class GroundproofPlugin:
    """Made by QGIS once; `initGui` and `unload` come in pairs."""

    def __init__(self, iface: QgisInterface) -> None:
        self._iface = iface
        self._translator = install_translator(QgsApplication.locale())
        self._action: QAction | None = None
        self._provider: GroundproofProvider | None = None

    def initProcessing(self) -> None:  # noqa: N802 - QGIS's name
        """Only the algorithms: what `qgis_process` needs."""
        self._provider = GroundproofProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:  # noqa: N802 - QGIS's name
        """All of it."""
        self.initProcessing()
        window = self._iface.mainWindow()
        self._engine = LocalEngine(parent=window)
        self._provider.serve_from(self._engine, self._iface.mapCanvas())
        self._dock = GroundproofDock(window)
        self._desk = Desk(self._dock, self._iface, QgsProject.instance(), self._engine)
        self._desk.runs.again_requested.connect(lambda _run: self._dock.setUserVisible(True))
        self._options = OptionsFactory(self._desk.installing)
        self._iface.registerOptionsWidgetFactory(self._options)
        self._iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        if self._dock.width() < WIDTH_PX:
            window.resizeDocks([self._dock], [WIDTH_PX], Qt.Orientation.Horizontal)
        self._action = QAction(QIcon(str(HERE / "icons" / "groundproof.svg")), tr("Ask the map"), window)
        self._action.setObjectName("GroundproofAction")
        self._action.setCheckable(True)
        self._dock.setToggleVisibilityAction(self._action)
        self._iface.addToolBarIcon(self._action)
        self._iface.addPluginToMenu("groundproof", self._action)

    def unload(self) -> None:
        """Leave QGIS as it was; questions that are being asked stay with the engine."""
        if self._action is not None:
            self._desk.close()
            self._engine.shut_down()
            self._iface.unregisterOptionsWidgetFactory(self._options)
            self._iface.removePluginMenu("groundproof", self._action)
            self._iface.removeToolBarIcon(self._action)
            self._iface.removeDockWidget(self._dock)
            self._dock.deleteLater()
            self._engine.deleteLater()
            self._action = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
        if self._translator is not None:
            QCoreApplication.removeTranslator(self._translator)
