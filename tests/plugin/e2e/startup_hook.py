"""PYQGIS_STARTUP: Python errors go to the file PYQGIS_ERRLOG instead of into boxes that wait for a click."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import qgis.utils


def _write(head, kind, value, trace, *_args, **_words) -> None:
    with Path(os.environ["PYQGIS_ERRLOG"]).open("a", encoding="utf-8") as log:
        log.write(f"{head}\n{''.join(traceback.format_exception(kind, value, trace))}\n")


qgis.utils.showException = lambda kind, value, trace, message, *_args, **_words: _write(
    message, kind, value, trace
)
qgis.utils.open_stack_dialog = lambda kind, value, trace, message, *_args, **_words: _write(
    message, kind, value, trace
)
