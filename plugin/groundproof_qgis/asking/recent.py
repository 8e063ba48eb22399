"""Questions asked before, newest first.

Knows QGIS's settings. Refuses to know widgets and answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsSettings

KEY = "groundproof/recent_questions"
LIMIT = 30


def remembered(questions: Sequence[str], text: str, limit: int = LIMIT) -> tuple[str, ...]:
    """The list with this question first, each once, blanks unified; unchanged for an empty one."""
    words = " ".join(text.split())
    if not words:
        return tuple(questions)
    return (words, *(one for one in questions if one != words))[:limit]


class RecentQuestions:
    """The list as QGIS keeps it for this user."""

    def __init__(self, settings: QgsSettings | None = None) -> None:
        self._settings = QgsSettings() if settings is None else settings

    def all(self) -> tuple[str, ...]:
        """Newest first."""
        kept = self._settings.value(KEY, [])
        if isinstance(kept, str):  # Qt's ini files give a list of one back as its only item
            kept = [kept]
        return tuple(str(one) for one in kept or [] if one)

    def add(self, text: str) -> None:
        """Keep one more."""
        self._settings.setValue(KEY, list(remembered(self.all(), text)))

    def clear(self) -> None:
        """Forget all."""
        self._settings.remove(KEY)
