"""What is done with an exception that nobody raised on purpose."""

from __future__ import annotations

import traceback

from qgis.core import Qgis, QgsMessageLog

from groundproof_qgis.i18n_text import tr

LOG = "groundproof"
"""The plugin's tab in QGIS's log."""


def unexpected() -> str:
    """Keep the traceback of the exception being handled in QGIS's log; gives a sentence. From any thread."""
    QgsMessageLog.logMessage(traceback.format_exc(), LOG, Qgis.MessageLevel.Critical)
    return tr(
        "Something went wrong in the plugin that should not have. View > Panels > Log Messages says what."
    )
