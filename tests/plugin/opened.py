"""A result's layers in a project, without an event loop."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProject

from groundproof_qgis.layers.result import ResultLayers, opening


def open_result(project: QgsProject, path: Path, run_id: str, title: str) -> ResultLayers:
    """All steps of `opening` at once."""
    steps = opening(project, path, run_id, title)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
