"""The algorithm "Ask many scenes": questions about a whole folder of imagery, with one GeoPackage of all answers.

Knows parameters and outputs. Refuses to know how scenes are sent, asked and put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from groundproof_qgis.asking.request import TASKS, Question
from groundproof_qgis.i18n_text import tr
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
from groundproof_qgis.processing.many_asking import CHANGE, AskMany, Tally
from groundproof_qgis.processing.many_places import Places
from groundproof_qgis.processing.many_result import Result
from groundproof_qgis.processing.many_scenes import Pixels, Scene, listed, scenes_of
from groundproof_qgis.processing.many_telling import ManyTelling, coverage_of, tell_answers
from groundproof_qgis.processing.session import Session, off_main_thread

INPUT, FOLDER, PATTERN = "INPUT", "FOLDER", "PATTERN"
QUESTION, BANDS, MAX_FAILED, SCENES = "QUESTION", "BANDS", "MAX_FAILED", "SCENES"

OWN_TASKS = tuple(task for task in TASKS if task != CHANGE)
"""Every scene has an answer of its own, so none is about two dates."""
NAMED = 10
"""Failed scenes that the summary names; the table scenes has all of them."""


class AskManyScenes(AskingAlgorithm):
    """Asks once. Prepared: `_questions`, `_scenes` and `_places`."""

    def name(self) -> str:
        """After the colon."""
        return "ask_many_scenes"

    def displayName(self) -> str:  # noqa: N802 - QGIS's name
        """For people."""
        return tr("Ask many scenes")

    def tags(self) -> list[str]:
        """Words it is found by."""
        return tr("batch,folder,many,question,count,detect,find,vision,model,objects,evidence").split(",")

    def shortHelpString(self) -> str:  # noqa: N802 - QGIS's name
        """What stands beside the parameters."""
        return tr(
            "Asks a groundproof engine the same questions about many rasters, and keeps all answers in one GeoPackage: "
            "evidence boxes, answers, tiles, and a row for every scene.\n\n"
            "Scenes are layers and files, or all files of a folder that fit a pattern (*.tif, or **/*.tif for its "
            "folders too; several patterns are split by semicolons). Each line is a question of its own.\n\n"
            "With polygons every scene is asked about where they touch it; one that none touches is skipped. A scene "
            "that is damaged, is not there or has no coordinate reference system does not stop the others: the log and "
            "the table scenes say why it failed.\n\n"
            "After cancelling, what was answered until then is kept. What was sent is removed from the engine."
        )

    def declare(self) -> None:
        """See the base class."""
        raster = QgsProcessing.SourceType.TypeRaster
        self.addParameter(
            QgsProcessingParameterMultipleLayers(INPUT, tr("Scenes: layers or files"), raster, optional=True)
        )
        self.addParameter(
            QgsProcessingParameterFile(
                FOLDER,
                tr("Folder with further scenes"),
                behavior=QgsProcessingParameterFile.Behavior.Folder,
                optional=True,
            )
        )
        self.addParameter(
            QgsProcessingParameterString(
                PATTERN, tr("Names of the files in the folder"), defaultValue="*.tif", optional=True
            )
        )
        self.addParameter(
            QgsProcessingParameterString(QUESTION, tr("Questions, one per line"), multiLine=True)
        )
        self.declare_task(OWN_TASKS)
        self.declare_polygons()
        self.declare_second_look()
        self._declare_advanced()
        self.declare_answer()
        self.addOutput(QgsProcessingOutputVectorLayer(SCENES, tr("Scenes, and why some failed")))
        self.addOutput(QgsProcessingOutputString("SUMMARY", tr("What became of the scenes")))
        self.addOutput(QgsProcessingOutputNumber("N_SCENES", tr("Scenes given")))
        self.addOutput(QgsProcessingOutputNumber("N_ASKED", tr("Scenes asked about")))
        self.addOutput(QgsProcessingOutputNumber("N_FAILED", tr("Scenes that failed")))
        self.addOutput(QgsProcessingOutputNumber("N_SKIPPED", tr("Scenes skipped")))

    def _declare_advanced(self) -> None:
        self.add_advanced(
            QgsProcessingParameterString(
                BANDS, tr("Bands, such as 4,3,2 (empty: those that the style shows)"), optional=True
            )
        )
        self.declare_pixels()
        self.add_advanced(
            QgsProcessingParameterNumber(
                MAX_FAILED,
                tr("Stop when more than so many % of the scenes have failed"),
                type=QgsProcessingParameterNumber.Type.Double,
                defaultValue=100.0,
                minValue=0.0,
                maxValue=100.0,
            )
        )

    def checkParameterValues(  # noqa: N802 - QGIS's name
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """As QGIS does it, but for the scenes: it would refuse all of them for one that cannot be opened."""
        return super().checkParameterValues({**parameters, INPUT: None}, context)

    def made_ready(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> None:
        """Questions and polygons; scenes that are layers are frozen, files are opened later."""
        target_of(self.parameterAsOutputLayer(parameters, OUTPUT, context))
        try:
            self._questions = self._all_questions(parameters, context)
            pixels = self._pixels(parameters, context)
        except ValueError as err:
            raise QgsProcessingException(str(err)) from err
        folder = self.parameterAsString(parameters, FOLDER, context)
        pattern = self.parameterAsString(parameters, PATTERN, context)
        wanted = listed(parameters.get(INPUT), folder, pattern, context)
        named = bool(self.parameterAsString(parameters, AOI_FIELD, context))
        self._places = Places(self.polygons(parameters, context), by_name=named)
        self._scenes = scenes_of(wanted, pixels, self._places, context, self.host)
        session.sources = tuple(one.frozen.source for one in self._scenes if one.frozen is not None)
        notes = (note for one in self._scenes if one.frozen is not None for note in one.frozen.notes)
        for note in dict.fromkeys(notes):
            feedback.pushInfo(note)

    def carried_out(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> dict[str, Any]:
        """Ask about all of them, and put the result where Processing wants it."""
        destination = self.parameterAsOutputLayer(parameters, OUTPUT, context)
        target = target_of(destination)
        share = self.parameterAsDouble(parameters, MAX_FAILED, context) / 100.0
        questions, scenes, places = self._questions, self._scenes, self._places
        result = Result(target)
        with room_for(target):
            telling = ManyTelling(feedback, len(scenes), len(questions))
            asking = AskMany(session.address, result, telling, feedback.isCanceled, session.let_go, share)
            tally = off_main_thread(lambda: asking.ask(questions, scenes, places))
        said = summary(tally)
        if not result.exists:
            raise QgsProcessingException(said)
        outputs = self._outputs(result, tally, destination, context, feedback)
        if tally.stopped and not feedback.isCanceled():
            raise QgsProcessingException(
                tr("{summary} What was answered is kept in {path}.").format(summary=said, path=target)
            )
        return outputs

    def _outputs(
        self,
        result: Result,
        tally: Tally,
        destination: str,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        answer = read_tables(result.path, ("answers",), geometry=False).answer()
        tell_answers(answer, feedback)
        said = summary(tally)
        if tally.failed or tally.stopped:
            feedback.pushWarning(said)
        else:
            feedback.pushInfo(said)
        return {
            OUTPUT: load_table(context, destination, "evidence"),
            SCENES: f"{destination}|layername=scenes",
            "FILE": str(result.path),
            "ANSWER": answer.line,
            "COUNT": result.counted(),
            "COVERAGE": coverage_of(answer),
            "SUMMARY": said,
            "N_SCENES": len(tally.scenes),
            "N_ASKED": len(tally.asked),
            "N_FAILED": len(tally.failed),
            "N_SKIPPED": len(tally.skipped) + len(tally.left),
        }

    def _all_questions(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[Question]:
        """One for each line. Raises ValueError."""
        lines = self.parameterAsString(parameters, QUESTION, context).splitlines()
        texts = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        task = self.parameterAsEnumString(parameters, TASK, context)
        second = self.parameterAsBool(parameters, SECOND_LOOK, context)
        return [Question(text, task, second_look=second) for text in texts or [""]]

    def _pixels(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Pixels:
        """Raises ValueError for what is no choice of bands, or no resolution."""
        text = self.parameterAsString(parameters, BANDS, context)
        words = text.replace(";", ",").replace(",", " ").split()
        if not all(word.isdecimal() and int(word) > 0 for word in words):
            raise ValueError(
                tr('"{text}" is no list of bands. Give their numbers from 1, such as 4,3,2.').format(
                    text=text
                )
            )
        styled = self.parameterAsBool(parameters, STYLED, context)
        pixels = Pixels(self.metres(parameters, context), tuple(map(int, words)) or None, styled)
        pixels.check()
        return pixels


def summary(tally: Tally) -> str:
    """ "38 of 40 scenes asked; 2 failed: field: ...; north: ..."."""
    words = [tr("{n} of {scenes} scenes asked").format(n=len(tally.asked), scenes=len(tally.scenes))]
    if tally.skipped:
        words.append(
            tr("{n} skipped: {why}").format(n=len(tally.skipped), why=_named(tally.scenes, tally.skipped))
        )
    if tally.failed:
        words.append(
            tr("{n} failed: {why}").format(n=len(tally.failed), why=_named(tally.scenes, tally.failed))
        )
    text = "; ".join(words) + "."
    if tally.stopped:
        text = tr("{reason} {summary}").format(reason=tally.stopped, summary=text)
    return text


def _named(scenes: Sequence[Scene], reasons: dict[int, str]) -> str:
    shown = [f"{scenes[number].name} ({why.rstrip('.')})" for number, why in sorted(reasons.items())[:NAMED]]
    if len(reasons) > NAMED:
        shown.append(tr("and {n} more").format(n=len(reasons) - NAMED))
    return ", ".join(shown)
