"""What the algorithms find around them: the desktop's engine and canvas, or nothing.

Knows that a dock may run an engine already. Refuses to know algorithms.
"""

from __future__ import annotations

from dataclasses import dataclass

from qgis.gui import QgsMapCanvas

from groundproof_qgis.engine.local import LocalEngine


@dataclass
class Host:
    """One for all algorithms. engine: the desktop's own; None where each run starts one and stops it (qgis_process).

    canvas: whose layers, scale and settings make what is seen; None: the project's visible layers.
    """

    engine: LocalEngine | None = None
    canvas: QgsMapCanvas | None = None
