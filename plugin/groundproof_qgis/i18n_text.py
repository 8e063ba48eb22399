"""Text for people, in their language.

Knows Qt's translator. Refuses to know which words are said.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication

CONTEXT = "groundproof"


def tr(text: str) -> str:
    """The text in QGIS's language; itself where there is no translation.

    Values are put in afterwards: `tr("{n} boxes").format(n=3)`.
    """
    return QCoreApplication.translate(CONTEXT, text)
