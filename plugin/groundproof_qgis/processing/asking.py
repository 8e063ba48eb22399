"""What the algorithms that ask share: the parameters of a question, and the outputs of its answer.

Knows parameters and outputs. Refuses to know which imagery is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.core import (
    QgsExpression,
    QgsFeatureRequest,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterNumber,
    QgsProcessingParameterVectorDestination,
)

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.place import Place, place_of_selection
from groundproof_qgis.processing.algorithm import GroundproofAlgorithm

TASK, SECOND_LOOK = "TASK", "SECOND_LOOK"
AOI, AOI_FIELD = "AOI", "AOI_FIELD"
STYLED, RESOLUTION = "STYLED", "RESOLUTION"
OUTPUT = "OUTPUT"


class AskingAlgorithm(GroundproofAlgorithm):
    """Subclasses declare what they ask about between these."""

    def declare_task(self, tasks: Sequence[str]) -> None:
        """The first one unless another is chosen."""
        task = QgsProcessingParameterEnum(
            TASK, tr("Task"), options=list(tasks), defaultValue=tasks[0], usesStaticStrings=True
        )
        self.addParameter(task)

    def declare_polygons(self) -> None:
        """For `polygons`."""
        self.addParameter(
            QgsProcessingParameterFeatureSource(
                AOI,
                tr("Polygons to ask about"),
                [QgsProcessing.SourceType.TypeVectorPolygon],
                optional=True,
            )
        )
        self.addParameter(
            QgsProcessingParameterField(
                AOI_FIELD,
                tr("Field that names the polygons (one answer for each)"),
                parentLayerParameterName=AOI,
                optional=True,
            )
        )

    def declare_second_look(self) -> None:
        """Whether boxes are looked at again."""
        self.addParameter(
            QgsProcessingParameterBoolean(
                SECOND_LOOK, tr("Look at every box a second time"), defaultValue=False
            )
        )

    def declare_pixels(self) -> None:
        """Advanced: how pixels are sent; for `metres`."""
        self.add_advanced(
            QgsProcessingParameterBoolean(
                STYLED, tr("Send the colours of the layer's style"), defaultValue=False
            )
        )
        self.add_advanced(
            QgsProcessingParameterNumber(
                RESOLUTION,
                tr("Resolution, metres per pixel (empty: native)"),
                type=QgsProcessingParameterNumber.Type.Double,
                optional=True,
                minValue=0.0,
            )
        )

    def declare_answer(self) -> None:
        """Where the result goes, and what it is in short."""
        self.addParameter(QgsProcessingParameterVectorDestination(OUTPUT, tr("Evidence")))
        self.addOutput(QgsProcessingOutputString("ANSWER", tr("Answer")))
        self.addOutput(QgsProcessingOutputNumber("COUNT", tr("Boxes that count")))
        self.addOutput(QgsProcessingOutputString("COVERAGE", tr("Coverage")))
        self.addOutput(QgsProcessingOutputFile("FILE", tr("GeoPackage of the whole result")))

    def metres(self, parameters: dict[str, Any], context: QgsProcessingContext) -> float | None:
        """Per pixel; None: native."""
        if parameters.get(RESOLUTION) is None:
            return None
        return float(self.parameterAsDouble(parameters, RESOLUTION, context))

    def polygons(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Place | None:
        """Those to ask about; None without any. Its parts are named by the field, if there is one.

        Raises PixelError for polygons that are none.
        """
        source = self.parameterAsSource(parameters, AOI, context)
        if source is None:
            return None
        chosen = source.materialize(QgsFeatureRequest())
        chosen.setName(source.sourceName())
        chosen.selectAll()
        field = self.parameterAsString(parameters, AOI_FIELD, context)
        if field:
            chosen.setDisplayExpression(QgsExpression.quotedColumnRef(field))
        return place_of_selection(chosen)
