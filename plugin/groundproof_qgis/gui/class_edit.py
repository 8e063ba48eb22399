"""Classes separated by commas, completed from what the model was trained for.

Knows words. Refuses to know questions and tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QModelIndex, QStringListModel, Qt
from qgis.PyQt.QtWidgets import QCompleter, QLineEdit, QWidget

from groundproof_qgis.asking.class_words import parsed
from groundproof_qgis.i18n_text import tr

SHOWN_IN_HINT = 3


class _LastWord(QCompleter):
    """Completes the word behind the last comma."""

    def __init__(self, edit: QLineEdit) -> None:
        super().__init__(edit)
        self._edit = edit
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setFilterMode(Qt.MatchFlag.MatchContains)

    def splitPath(self, path: str) -> list[str]:  # noqa: N802 - Qt's name
        return [path.rpartition(",")[2].strip()]

    def pathFromIndex(self, index: QModelIndex) -> str:  # noqa: N802 - Qt's name
        before = self._edit.text().rpartition(",")[0].strip()
        word = str(index.data())
        return f"{before}, {word}" if before else word


class ClassEdit(QLineEdit):
    """A line edit; `classes` is what it says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = QStringListModel(self)
        completer = _LastWord(self)
        completer.setModel(self._labels)
        self.setCompleter(completer)
        self.setClearButtonEnabled(True)
        self.setAccessibleName(tr("Classes"))
        self.set_labels(())

    @property
    def classes(self) -> tuple[str, ...]:
        """As typed, each once."""
        return parsed(self.text())

    def set_labels(self, labels: Sequence[str]) -> None:
        """What the model was trained for; empty when it takes any word."""
        self._labels.setStringList(list(labels))
        if not labels:
            self.setPlaceholderText(tr("any words, separated by commas"))
            self.setToolTip(tr("Classes separated by commas. They become part of the question."))
            return
        shown = ", ".join(labels[:SHOWN_IN_HINT])
        self.setPlaceholderText(shown + (", ..." if len(labels) > SHOWN_IN_HINT else ""))
        self.setToolTip(
            tr(
                "Classes separated by commas. They become part of the question. The model was trained for: {labels}."
            ).format(labels=", ".join(labels))
        )
