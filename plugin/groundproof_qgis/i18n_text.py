"""Text for people, in their language.

Knows Qt's translator and the plugin's translation files. Refuses to know which words are said.
"""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt.QtCore import QCoreApplication, QTranslator

CONTEXT = "groundproof"
FOLDER = Path(__file__).resolve().parent / "i18n"


def tr(text: str) -> str:
    """The text in QGIS's language; itself where there is no translation.

    Values are put in afterwards: `tr("{n} boxes").format(n=3)`.
    """
    return QCoreApplication.translate(CONTEXT, text)


def install_translator(locale: str, folder: Path = FOLDER) -> QTranslator | None:
    """Make `tr` speak that language ("de", "de_AT"); None where it has no translation: English then.

    The caller keeps what is returned, and gives it to `QCoreApplication.removeTranslator` when the plugin is unloaded.
    """
    for name in dict.fromkeys((locale, locale.replace("-", "_").split("_")[0])):
        path = folder / f"groundproof_{name}.qm"
        translator = QTranslator()
        if path.is_file() and translator.load(str(path)):
            QCoreApplication.installTranslator(translator)
            return translator
    return None
