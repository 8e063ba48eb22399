"""Questions that are asked before something cannot be undone: before imagery leaves, before software is installed,
before a very large area is asked about.

Knows sentences. Refuses to know how any of it is done; where consent is kept is `engine.settings`.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Notice, Sentence
from groundproof_qgis.i18n_text import tr

ICON_PX = 40
WIDTH_PX = 440


class ConsentDialog(QDialog):
    """A question, facts as (name, value), a warning if there is one, and a button that says what it does.

    Accepted only by that button: Enter alone cancels.
    """

    def __init__(
        self,
        title: str,
        sentence: str,
        facts: Sequence[tuple[str, str]],
        agree: str,
        warning: str = "",
        after: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(WIDTH_PX)
        self._quiet: list[QLabel] = []
        picture = QLabel()
        picture.setPixmap(theme.coloured_icon("groundproof").pixmap(QSize(ICON_PX, ICON_PX)))
        question = Sentence(sentence)
        larger = question.font()
        larger.setBold(True)
        question.setFont(larger)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(question, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 12)
        column.setSpacing(12)
        column.addLayout(head)
        table = QFormLayout()
        table.setHorizontalSpacing(14)
        table.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        for name, value in facts:
            label = QLabel(name)
            self._quiet.append(label)
            table.addRow(label, Sentence(value))
        column.addLayout(table)
        if warning:
            column.addWidget(Notice(warning, level="warning"))
        if after:
            quiet = Sentence(after)
            self._quiet.append(quiet)
            column.addWidget(quiet)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.agree = self.buttons.addButton(agree, QDialogButtonBox.ButtonRole.AcceptRole)
        self.agree.setAutoDefault(False)
        cancel = self.buttons.button(QDialogButtonBox.StandardButton.Cancel)
        cancel.setDefault(True)
        cancel.setFocus()
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column.addStretch(1)
        column.addWidget(self.buttons)
        self._follower = Follower(self, self._dress)
        self.resize(WIDTH_PX, column.totalHeightForWidth(WIDTH_PX))

    def _dress(self, colours: Colours) -> None:
        for label in self._quiet:
            label.setStyleSheet(f"color: {theme.quiet(colours).name()};")


def send_dialog(
    url: str, what: str, size: str, warning: str = "", parent: QWidget | None = None
) -> ConsentDialog:
    """Before imagery leaves this computer. what: names of layers, or what is seen. size: in words."""
    return ConsentDialog(
        tr("Send imagery to another computer"),
        tr("This question sends imagery to an engine that is not on this computer."),
        [(tr("What"), what), (tr("How large"), size), (tr("To whom"), url)],
        tr("Send, and do not ask again for this engine"),
        warning,
        tr("Nothing has been sent yet. You can withdraw this consent in the settings, under groundproof."),
        parent,
    )


def install_dialog(
    source: str, folder: str, size: str, python: str = "", parent: QWidget | None = None
) -> ConsentDialog:
    """Before the engine is installed. source: what pip is given. python: the one it is installed with, if known."""
    facts = [(tr("What"), source), (tr("How large"), size), (tr("Where to"), folder)]
    if python:
        facts.append((tr("Python"), python))
    return ConsentDialog(
        tr("Install the engine on this computer"),
        tr("The engine and what it needs are downloaded and installed into a folder of their own."),
        facts,
        tr("Install"),
        "",
        tr(
            "QGIS and its Python stay as they are. To remove the engine, delete that folder or use the settings."
        ),
        parent,
    )


def huge_dialog(estimate: str, advice: str = "", parent: QWidget | None = None) -> ConsentDialog:
    """Before a very large area is asked about. estimate: area, tiles and time in words."""
    words = advice or tr("A smaller area or a coarser resolution (under Options) is quicker.")
    return ConsentDialog(
        tr("A large area"),
        tr("This question will take long."),
        [(tr("Estimate"), estimate)],
        tr("Ask anyway"),
        "",
        words + " " + tr("You can cancel at any time; what came so far is kept."),
        parent,
    )
