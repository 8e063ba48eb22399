"""The algorithm "Compare two runs": what appeared, disappeared, moved or is judged otherwise.

Knows parameters and outputs. The engine matches the boxes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeatureSink,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
)

from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.compare import (
    APPEARED,
    DISAPPEARED,
    MOVED,
    ask_for_difference,
    differences,
    layer_of,
    summary,
)
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.processing.algorithm import GroundproofAlgorithm
from groundproof_qgis.processing.dressing import dress_when_loaded
from groundproof_qgis.processing.session import Session, off_main_thread

BEFORE, AFTER, OUTPUT = "BEFORE", "AFTER", "OUTPUT"


class CompareRuns(GroundproofAlgorithm):
    """Two GeoPackages in, one layer of all their boxes out."""

    def name(self) -> str:
        """After the colon."""
        return "compare_runs"

    def displayName(self) -> str:  # noqa: N802 - QGIS's name
        """For people."""
        return tr("Compare two runs")

    def tags(self) -> list[str]:
        """Words it is found by."""
        return tr("difference,change,diff,appeared,disappeared,moved,evidence").split(",")

    def shortHelpString(self) -> str:  # noqa: N802 - QGIS's name
        """What stands beside the parameters."""
        return tr(
            "Compares the evidence of two results: which boxes appeared, disappeared, moved, have another verdict, or "
            "stayed. The two may be of one place at two times, of two models, or before and after a review."
        )

    def declare(self) -> None:
        """See the base class."""
        geopackages = tr("GeoPackages (*.gpkg)")
        self.addParameter(
            QgsProcessingParameterFile(BEFORE, tr("GeoPackage of the earlier run"), fileFilter=geopackages)
        )
        self.addParameter(
            QgsProcessingParameterFile(AFTER, tr("GeoPackage of the later run"), fileFilter=geopackages)
        )
        self.addParameter(
            QgsProcessingParameterFeatureSink(
                OUTPUT, tr("Changes"), QgsProcessing.SourceType.TypeVectorPolygon
            )
        )
        self.addOutput(QgsProcessingOutputString("TEXT", tr("Changes in words")))
        self.addOutput(QgsProcessingOutputNumber("APPEARED", tr("Boxes that appeared")))
        self.addOutput(QgsProcessingOutputNumber("DISAPPEARED", tr("Boxes that disappeared")))
        self.addOutput(QgsProcessingOutputNumber("MOVED", tr("Boxes that moved")))

    def carried_out(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> dict[str, Any]:
        """Ask, and write what the engine says."""
        paths = [Path(self.parameterAsFile(parameters, name, context)) for name in (BEFORE, AFTER)]
        client = EngineClient(session.address, feedback.isCanceled)
        before, after = paths
        document = off_main_thread(lambda: ask_for_difference((before, None), (after, None), client))
        feedback.setProgress(80)
        found = list(differences(document, read_tables(before), read_tables(after)))
        layer = layer_of(found, context.transformContext())
        sink, made = self.parameterAsSink(
            parameters, OUTPUT, context, layer.fields(), layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, OUTPUT))
        sink.addFeatures(layer.getFeatures(), QgsFeatureSink.Flag.FastInsert)
        dress_when_loaded(context, made)
        text = summary(document, found)
        feedback.pushInfo(text)
        counts = {
            name: sum(one.change == change for one in found)
            for name, change in (("APPEARED", APPEARED), ("DISAPPEARED", DISAPPEARED), ("MOVED", MOVED))
        }
        return {OUTPUT: made, "TEXT": text, **counts}
