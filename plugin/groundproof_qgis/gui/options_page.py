"""The plugin's page among QGIS's options.

Knows the settings' fields. Refuses to know how an engine is installed, removed or reached: an `OptionsHost` does it.
"""

from __future__ import annotations

from collections.abc import Callable

from qgis.gui import QgsAuthConfigSelect, QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.engine.address import tidy
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.settings import LOCAL, REMOTE, EngineSettings
from groundproof_qgis.gui import preferences, theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Notice, Sentence
from groundproof_qgis.gui.preferences import MAX_TILES, Preferences
from groundproof_qgis.i18n_text import tr

HINT_PX = 420
PAGE = "groundproof"
"""The page's object name; `iface.showOptionsDialog(currentPage=...)` takes it."""


class OptionsHost:
    """What the page asks of the plugin. None of it may wait: results come through the callbacks."""

    def installed(self) -> str:
        """Version and folder of the engine on this computer, as a sentence; "" without one."""
        raise NotImplementedError

    def install(self, settings: EngineSettings) -> None:
        """Install or update with these settings; asks for consent itself."""
        raise NotImplementedError

    def remove(self) -> None:
        """Remove the engine on this computer; asks back itself."""
        raise NotImplementedError

    def test(self, settings: EngineSettings, done: Callable[[bool, str], None]) -> None:
        """Try the connection to a remote engine; then done(whether it answers, a sentence)."""
        raise NotImplementedError

    def applied(self) -> None:
        """The settings have changed."""
        raise NotImplementedError


class OptionsPage(QgsOptionsPageWidget):
    """One page; `apply` keeps what it says."""

    def __init__(self, host: OptionsHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(PAGE)
        self._host = host
        self.local = QRadioButton(tr("This &computer"))
        self.remote = QRadioButton(tr("An engine &elsewhere"))
        self.installed = Sentence()
        self.install = QPushButton(tr("&Install or update..."))
        self.remove = QPushButton(tr("Remove..."))
        self.source = QLineEdit()
        self.python = QgsFileWidget()
        self.command = QgsFileWidget()
        self.model = QLineEdit()
        self.url = QLineEdit()
        self.auth = QgsAuthConfigSelect()
        self.test = QPushButton(tr("&Test the connection"))
        self.said = Notice()
        self.tiles = QSpinBox()
        self.folder = QgsFileWidget()
        self.consents = Sentence()
        self.forget = QPushButton(tr("&Forget all consents"))
        self._lay_out()
        self._connect()
        self._follower = Follower(self, self._dress)
        self._fill(engine_settings.load(), preferences.load())

    def settings(self) -> EngineSettings:
        """The engine's settings as the page says them."""
        return EngineSettings(
            who=REMOTE if self.remote.isChecked() else LOCAL,
            url=self.url.text().strip(),
            authcfg=self.auth.configId(),
            command=self.command.filePath().strip(),
            source=self.source.text().strip(),
            python=self.python.filePath().strip(),
            model=self.model.text().strip() or engine_settings.MODEL,
        )

    def preferences(self) -> Preferences:
        """The dock's settings as the page says them."""
        return Preferences(self.tiles.value(), self.folder.filePath().strip())

    def apply(self) -> None:
        """QGIS: keep what the page says."""
        engine_settings.save(self.settings())
        preferences.save(self.preferences())
        self._host.applied()

    @property
    def problem(self) -> str:
        """What is wrong with the address, as a sentence; "" when nothing is."""
        if not self.remote.isChecked():
            return ""
        try:
            tidy(self.url.text())
        except EngineError as err:
            return str(err)
        return ""

    def isValid(self) -> bool:  # noqa: N802 - QGIS's name
        """QGIS asks before it applies; an address that is none is said on the page."""
        problem = self.problem
        if problem:
            self._say(False, problem)
        return not problem

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        for group in (self._who(), self._this_computer(), self._elsewhere(), self._asking(), self._privacy()):
            column.addWidget(group)
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def _who(self) -> QGroupBox:
        group = QGroupBox(tr("Who answers"))
        row = QHBoxLayout(group)
        row.addWidget(self.local)
        row.addWidget(self.remote)
        row.addStretch(1)
        return group

    def _this_computer(self) -> QGroupBox:
        group = QGroupBox(tr("This computer"))
        form = QFormLayout(group)
        buttons = QHBoxLayout()
        buttons.addWidget(self.install)
        buttons.addWidget(self.remove)
        buttons.addStretch(1)
        self.source.setPlaceholderText(tr("a wheel file made by scripts/package_engine, or an address"))
        self.source.setToolTip(
            tr(
                "The engine's wheel: a file, or an address that begins with https://. Nothing is taken by name"
            )
        )
        self.python.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        self.python.lineEdit().setPlaceholderText(tr("found automatically"))
        self.python.setToolTip(tr("A Python 3.11 or newer; not QGIS's own"))
        self.command.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        self.command.setDialogTitle(tr("The engine's program"))
        self.command.lineEdit().setPlaceholderText(tr("the engine that the plugin installed"))
        self.command.setToolTip(
            tr("For an engine you installed yourself: the path of its program groundproof")
        )
        self.model.setPlaceholderText(engine_settings.MODEL)
        self.model.setToolTip(
            tr("What groundproof serve --model takes: a name, a folder, or a server's address")
        )
        form.addRow(tr("Installed"), self.installed)
        form.addRow("", buttons)
        form.addRow(tr("Install &from"), self.source)
        form.addRow(tr("&Python"), self.python)
        form.addRow(tr("P&rogram"), self.command)
        form.addRow(tr("&Model"), self.model)
        return group

    def _elsewhere(self) -> QGroupBox:
        group = QGroupBox(tr("An engine elsewhere"))
        form = QFormLayout(group)
        self.url.setPlaceholderText("https://gpu-box.example:8765")
        hint = Sentence(
            tr(
                "Put the engine's token as password into a basic authentication, or as a header "
                '"Authorization: Bearer ..." into one of the type API header. QGIS keeps it encrypted.'
            ),
            hint_px=HINT_PX,
        )
        self._hint = hint
        buttons = QHBoxLayout()
        buttons.addWidget(self.test)
        buttons.addStretch(1)
        form.addRow(tr("&Address"), self.url)
        form.addRow(tr("Authentication"), self.auth)
        form.addRow("", hint)
        form.addRow("", buttons)
        form.addRow(self.said)
        self.said.setVisible(False)
        return group

    def _asking(self) -> QGroupBox:
        group = QGroupBox(tr("Asking"))
        form = QFormLayout(group)
        self.tiles.setRange(1, MAX_TILES)
        self.tiles.setSingleStep(100)
        self.tiles.setGroupSeparatorShown(True)
        self.tiles.setSuffix(tr(" tiles"))
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folder.lineEdit().setPlaceholderText(tr("a folder beside the project"))
        form.addRow(tr("Ask back from"), self.tiles)
        form.addRow(tr("&Keep results in"), self.folder)
        return group

    def _privacy(self) -> QGroupBox:
        group = QGroupBox(tr("Privacy"))
        column = QVBoxLayout(group)
        column.addWidget(self.consents)
        row = QHBoxLayout()
        row.addWidget(self.forget)
        row.addStretch(1)
        column.addLayout(row)
        return group

    def _dress(self, colours: Colours) -> None:
        self._hint.setStyleSheet(f"color: {theme.quiet(colours).name()};")

    def _connect(self) -> None:
        self.install.clicked.connect(lambda: self._host.install(self.settings()))
        self.remove.clicked.connect(self._host.remove)
        self.test.clicked.connect(self._try)
        self.forget.clicked.connect(self._forget)
        self.url.textEdited.connect(lambda: self.said.setVisible(False))

    def _fill(self, settings: EngineSettings, own: Preferences) -> None:
        (self.remote if settings.who == REMOTE else self.local).setChecked(True)
        self.url.setText(settings.url)
        self.auth.setConfigId(settings.authcfg)
        self.command.setFilePath(settings.command)
        self.source.setText(settings.source)
        self.python.setFilePath(settings.python)
        self.model.setText("" if settings.model == engine_settings.MODEL else settings.model)
        self.tiles.setValue(own.confirm_tiles)
        self.folder.setFilePath(own.results_folder)
        installed = self._host.installed()
        self.installed.setText(installed or tr("No engine is installed yet."))
        self.remove.setEnabled(bool(installed))
        self._show_consents()

    def _show_consents(self) -> None:
        agreed = engine_settings.consents()
        words = tr("Imagery goes to an engine elsewhere only after you agreed to it.")
        if agreed:
            words += " " + tr("You agreed to: {engines}.").format(engines=", ".join(agreed))
        self.consents.setText(words)
        self.forget.setEnabled(bool(agreed))

    def _forget(self) -> None:
        engine_settings.forget_consents()
        self._show_consents()

    def _try(self) -> None:
        problem = "" if self.url.text().strip() else tr("Give the engine's address first.")
        if problem:
            self._say(False, problem)
            return
        self.test.setEnabled(False)
        self._host.test(self.settings(), self._tried)

    def _tried(self, works: bool, sentence: str) -> None:
        if sip.isdeleted(self):  # the options were closed meanwhile
            return
        self.test.setEnabled(True)
        self._say(works, sentence)

    def _say(self, works: bool, sentence: str) -> None:
        self.said.set_level("good" if works else "warning")
        self.said.set_text(sentence)
        self.said.setVisible(True)


class OptionsFactory(QgsOptionsWidgetFactory):
    """Registered with `iface.registerOptionsWidgetFactory`; unregister it when the plugin is unloaded."""

    def __init__(self, host: OptionsHost) -> None:
        super().__init__()
        self._host = host
        self.setTitle("groundproof")

    def icon(self) -> QIcon:
        """Of the page's entry."""
        return theme.coloured_icon("groundproof")

    def createWidget(self, parent: QWidget) -> OptionsPage:  # noqa: N802 - QGIS's name
        """A page as settings are now."""
        return OptionsPage(self._host, parent)
