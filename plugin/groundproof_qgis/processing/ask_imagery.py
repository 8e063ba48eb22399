"""The algorithm "Ask imagery": the dock's question as a step of a workflow.

Knows parameters and outputs. What is frozen, asked and counted is what the dock freezes, asks and counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterBand,
    QgsProcessingParameterExtent,
    QgsProcessingParameterMapTheme,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProject,
    QgsRasterLayer,
)

from groundproof_qgis.asking.request import TASKS, Question
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.freeze import Frozen, freeze
from groundproof_qgis.imagery.place import Place, place_of_layer, place_of_rectangle
from groundproof_qgis.imagery.what import LayerPixels, Pixels, Seen
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.processing.asking import (
    AOI_FIELD,
    OUTPUT,
    SECOND_LOOK,
    STYLED,
    TASK,
    AskingAlgorithm,
)
from groundproof_qgis.processing.dressing import load_table
from groundproof_qgis.processing.files import room_for, target_of
from groundproof_qgis.processing.session import Session, off_main_thread
from groundproof_qgis.processing.telling import Telling, tell_answer
from groundproof_qgis.tasks.ask import CANCELLED, DONE, Ask

INPUT, LATER = "INPUT", "LATER"
THEME, LATER_THEME = "THEME", "LATER_THEME"
QUESTION, EXTENT, BANDS = "QUESTION", "EXTENT", "BANDS"


class AskImagery(AskingAlgorithm):
    """Asks once. Prepared: `_question` and the session's sources."""

    def name(self) -> str:
        """After the colon."""
        return "ask_imagery"

    def displayName(self) -> str:  # noqa: N802 - QGIS's name
        """For people."""
        return tr("Ask imagery")

    def tags(self) -> list[str]:
        """Words it is found by."""
        return tr("question,count,detect,find,vision,model,objects,evidence").split(",")

    def shortHelpString(self) -> str:  # noqa: N802 - QGIS's name
        """What stands beside the parameters."""
        return tr(
            "Sends imagery with a question to a groundproof engine. The answer comes back as a GeoPackage: evidence "
            "boxes tied to sentences, the tiles that were looked at, the answer with its audit and coverage.\n\n"
            "Without a raster layer the picture is what the map shows in the extent: the visible layers, or those of "
            "a map theme, without labels and earlier results.\n\n"
            "A question about change takes a second image, or theme, of a later date.\n\n"
            "An engine on this computer is started for the run where none runs yet; it is installed from the dock."
        )

    def declare(self) -> None:
        """See the base class."""
        self.addParameter(
            QgsProcessingParameterRasterLayer(INPUT, tr("Imagery (empty: what the map shows)"), optional=True)
        )
        self.addParameter(QgsProcessingParameterString(QUESTION, tr("Question")))
        self.declare_task(TASKS)
        extent = tr("Extent (empty: the whole layer, or the polygons)")
        self.addParameter(QgsProcessingParameterExtent(EXTENT, extent, optional=True))
        self.declare_polygons()
        self.declare_second_look()
        self._declare_advanced()
        self.declare_answer()

    def _declare_advanced(self) -> None:
        self.add_advanced(
            QgsProcessingParameterRasterLayer(
                LATER, tr("Imagery of a later date, for a question about change"), optional=True
            )
        )
        self.add_advanced(
            QgsProcessingParameterMapTheme(
                THEME, tr("Map theme instead of the visible layers"), optional=True
            )
        )
        self.add_advanced(
            QgsProcessingParameterMapTheme(LATER_THEME, tr("Map theme of a later date"), optional=True)
        )
        self.add_advanced(
            QgsProcessingParameterBand(
                BANDS,
                tr("Bands (empty: those that the style shows)"),
                parentLayerParameterName=INPUT,
                optional=True,
                allowMultiple=True,
            )
        )
        self.declare_pixels()

    def made_ready(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> None:
        """Freeze question and pixels."""
        target_of(self.parameterAsOutputLayer(parameters, OUTPUT, context))
        given = [self.parameterAsRasterLayer(parameters, name, context) for name in (INPUT, LATER)]
        with _held(context.project() or QgsProject.instance(), given) as (project, layers):
            frozen = self._freeze(parameters, context, session, project, layers)
        for note in dict.fromkeys(note for one in frozen for note in one.notes):
            feedback.pushInfo(note)
        feedback.pushInfo("; ".join(one.resolution for one in frozen))

    def carried_out(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> dict[str, Any]:
        """Ask, wait, and put the result where Processing wants it."""
        destination = self.parameterAsOutputLayer(parameters, OUTPUT, context)
        target = target_of(destination)
        with room_for(target):
            asking = Ask(session.address, target, Telling(feedback), feedback.isCanceled)
            question, sources = self._question, session.sources
            outcome = off_main_thread(lambda: asking.ask(question, sources))
        if outcome.status != DONE and not (outcome.status == CANCELLED and outcome.path is not None):
            raise QgsProcessingException(outcome.sentence)
        if outcome.status == CANCELLED or outcome.partial:
            feedback.pushWarning(outcome.sentence)
        answer = read_tables(target, geometry=False).answer()
        tell_answer(answer, feedback)
        return {
            OUTPUT: load_table(context, destination, "evidence"),
            "FILE": str(target),
            "ANSWER": answer.line,
            "COUNT": sum(one.counted for one in answer.evidence),
            "COVERAGE": answer.coverage_sentence,
        }

    def _freeze(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        session: Session,
        project: QgsProject,
        layers: list[QgsRasterLayer | None],
    ) -> list[Frozen]:
        """The pixels, one scene for each date; also makes the question. Raises PixelError, QgsProcessingException."""
        try:
            choices = self._choices(parameters, context, layers)
            place = self._place(parameters, context, layers[0])
            frozen: list[Frozen] = []
            for choice in choices:
                frozen.append(freeze(choice, place, project, self.host.canvas))
                session.sources = tuple(one.source for one in frozen)
            task = self.parameterAsEnumString(parameters, TASK, context)
            self._question = Question(
                self.parameterAsString(parameters, QUESTION, context),
                "change" if len(frozen) == 2 and task == "auto" else task,
                area=frozen[0].area,
                second_look=self.parameterAsBool(parameters, SECOND_LOOK, context),
                pixel_space=frozen[0].spec.crs_wkt is None,
            )
        except ValueError as err:
            raise QgsProcessingException(str(err)) from err
        return frozen

    def _choices(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        layers: list[QgsRasterLayer | None],
    ) -> list[Pixels]:
        """What to send: one choice, or two for two dates. Raises ValueError, QgsProcessingException."""
        themes = [self.parameterAsString(parameters, name, context) for name in (THEME, LATER_THEME)]
        metres = self.metres(parameters, context)
        if layers[0] is None:
            if layers[1] is not None:
                raise QgsProcessingException(
                    tr("An image of a later date was given, but no earlier one. Give both.")
                )
            if themes[1] and not themes[0]:
                raise QgsProcessingException(
                    tr("A map theme of a later date was given, but no earlier one. Give both.")
                )
            return [Seen(metres, themes[0] or None), *([Seen(metres, themes[1])] if themes[1] else [])]
        if any(themes):
            raise QgsProcessingException(
                tr("A raster layer and a map theme were given. Give one of them, and leave the other empty.")
            )
        bands = tuple(self.parameterAsInts(parameters, BANDS, context)) or None
        styled = self.parameterAsBool(parameters, STYLED, context)
        return [LayerPixels(one.id(), metres, bands, styled) for one in layers if one is not None]

    def _place(
        self, parameters: dict[str, Any], context: QgsProcessingContext, layer: QgsRasterLayer | None
    ) -> Place:
        """Where to ask, in the CRS it was given in. Raises PixelError, QgsProcessingException."""
        polygons = self.polygons(parameters, context)
        extent = self.parameterAsExtent(parameters, EXTENT, context)
        if polygons is not None and not extent.isNull():
            raise QgsProcessingException(
                tr("Polygons and an extent were given. Give one of them, and leave the other empty.")
            )
        if polygons is not None:
            named = self.parameterAsString(parameters, AOI_FIELD, context)
            return polygons if named else replace(polygons, parts=())
        if not extent.isNull():
            crs = self.parameterAsExtentCrs(parameters, EXTENT, context)
            if not crs.isValid() and layer is not None:
                crs = layer.crs()  # a bare extent without a project is the layer's
            return place_of_rectangle(extent, crs)
        if layer is None:
            raise QgsProcessingException(
                tr("Nothing says where to ask. Give a raster layer, an extent or polygons.")
            )
        return place_of_layer(layer)


@contextmanager
def _held(
    project: QgsProject, layers: list[QgsRasterLayer | None]
) -> Iterator[tuple[QgsProject, list[QgsRasterLayer | None]]]:
    """A project that has the layers, and them: this one, or another with copies, for layers that are only files.

    The copies are gone afterwards: a layer that outlives QGIS makes it crash when it ends.
    """
    if all(layer is None or project.mapLayer(layer.id()) is not None for layer in layers):
        yield project, layers
        return
    scratch = QgsProject()
    scratch.setTransformContext(project.transformContext())
    copies = [None if layer is None else layer.clone() for layer in layers]
    scratch.addMapLayers([copy for copy in copies if copy is not None])
    try:
        yield scratch, copies
    finally:
        scratch.removeAllMapLayers()
