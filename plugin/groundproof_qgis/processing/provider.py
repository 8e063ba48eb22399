"""groundproof in the Processing toolbox.

Knows which algorithms there are. Refuses to know what they do.
"""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtGui import QIcon

from groundproof_qgis.engine.local import LocalEngine
from groundproof_qgis.processing.algorithm import ICON
from groundproof_qgis.processing.ask_imagery import AskImagery
from groundproof_qgis.processing.ask_many_scenes import AskManyScenes
from groundproof_qgis.processing.audit_evidence import AuditEvidence
from groundproof_qgis.processing.compare_runs import CompareRuns
from groundproof_qgis.processing.host import Host


class GroundproofProvider(QgsProcessingProvider):
    """Alone (qgis_process, scripts) each run starts its own engine; `serve_from` gives it the desktop's."""

    def __init__(self) -> None:
        super().__init__()
        self._host = Host()

    def serve_from(self, engine: LocalEngine, canvas: QgsMapCanvas) -> None:
        """Let algorithms ask the dock's engine, and see what the canvas shows."""
        self._host.engine, self._host.canvas = engine, canvas

    def id(self) -> str:
        """Of the provider, before the colon."""
        return "groundproof"

    def name(self) -> str:
        """For people."""
        return "groundproof"

    def icon(self) -> QIcon:
        """The plugin's."""
        return QIcon(str(ICON))

    def loadAlgorithms(self) -> None:  # noqa: N802 - QGIS's name
        """Called by QGIS."""
        for kind in (AskImagery, AskManyScenes, AuditEvidence, CompareRuns):
            self.addAlgorithm(kind(self._host))

    def supportedOutputVectorLayerExtensions(self) -> list[str]:  # noqa: N802 - QGIS's name
        """Results are GeoPackages."""
        return ["gpkg"]

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:  # noqa: N802, N803 - QGIS's names
        """The same for temporary files."""
        return "gpkg"
