"""The algorithm "Audit evidence": a result's claims against its evidence, after a review, made anew by the engine.

Knows parameters and outputs. The file that is given stays as it is; the updated one is the output.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterVectorDestination,
    QgsVectorLayer,
    QgsWkbTypes,
)

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.html import Html, escaped
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.hand_over import hand_over
from groundproof_qgis.layers.result import KINDS, ResultLayers
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.processing.algorithm import GroundproofAlgorithm
from groundproof_qgis.processing.dressing import load_table
from groundproof_qgis.processing.files import target_of
from groundproof_qgis.processing.session import Session, off_main_thread
from groundproof_qgis.processing.telling import tell_answer
from groundproof_qgis.review.update import ask_for_update, write_back

INPUT, OUTPUT, FINDINGS, HTML = "INPUT", "OUTPUT", "FINDINGS", "HTML"
COLUMNS = ("answer_id", "severity", "kind", "sentence", "claim", "verdict", "evidence")


class AuditEvidence(GroundproofAlgorithm):
    """A GeoPackage in, the same one with its answers made anew out."""

    def name(self) -> str:
        """After the colon."""
        return "audit_evidence"

    def displayName(self) -> str:  # noqa: N802 - QGIS's name
        """For people."""
        return tr("Audit evidence")

    def tags(self) -> list[str]:
        """Words it is found by."""
        return tr("check,review,count,claims,verdict,evidence").split(",")

    def shortHelpString(self) -> str:  # noqa: N802 - QGIS's name
        """What stands beside the parameters."""
        return tr(
            "Checks every claim of a result against its evidence, as it stands after a review: boxes that were "
            "accepted, rejected, moved or added in QGIS. Count, answer and audit are made anew by the engine.\n\n"
            "The GeoPackage that is given stays as it is; the updated one is written as a copy."
        )

    def declare(self) -> None:
        """See the base class."""
        self.addParameter(
            QgsProcessingParameterFile(
                INPUT, tr("GeoPackage of a result"), fileFilter=tr("GeoPackages (*.gpkg)")
            )
        )
        self.addParameter(QgsProcessingParameterVectorDestination(OUTPUT, tr("Evidence after the audit")))
        self.addParameter(
            QgsProcessingParameterFeatureSink(
                FINDINGS,
                tr("Findings"),
                QgsProcessing.SourceType.TypeVector,
                optional=True,
                createByDefault=False,
            )
        )
        self.addParameter(
            QgsProcessingParameterFileDestination(
                HTML,
                tr("Report of the audit"),
                tr("HTML files (*.html)"),
                optional=True,
                createByDefault=False,
            )
        )
        self.addOutput(QgsProcessingOutputString("ANSWER", tr("Answer")))
        self.addOutput(QgsProcessingOutputNumber("COUNT", tr("Boxes that count")))
        self.addOutput(QgsProcessingOutputNumber("PROBLEMS", tr("Findings that weaken the answer")))
        self.addOutput(QgsProcessingOutputFile("FILE", tr("GeoPackage of the whole result")))

    def carried_out(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> dict[str, Any]:
        """Copy, ask, write into the copy."""
        destination = self.parameterAsOutputLayer(parameters, OUTPUT, context)
        target = target_of(destination)
        given = Path(self.parameterAsFile(parameters, INPUT, context))
        read_tables(given, KINDS, geometry=False)  # what is no result is said before anything is written
        hand_over(given, target)
        feedback.setProgress(20)
        client = EngineClient(session.address, feedback.isCanceled)
        update = off_main_thread(lambda: ask_for_update(target, None, client))
        feedback.setProgress(80)
        write_back(_layers(target), update)
        answer = read_tables(target, geometry=False).answer()
        tell_answer(answer, feedback)
        outputs: dict[str, Any] = {
            OUTPUT: load_table(context, destination, "evidence"),
            "FILE": str(target),
            "ANSWER": answer.line,
            "COUNT": sum(one.counted for one in answer.evidence),
            "PROBLEMS": len(answer.weaknesses),
        }
        findings = self._findings(parameters, context, answer)
        if findings is not None:
            outputs[FINDINGS] = findings
        report = self.parameterAsFileOutput(parameters, HTML, context)
        if report:
            Path(report).write_text(report_of(answer), encoding="utf-8")
            outputs[HTML] = report
        return outputs

    def _findings(
        self, parameters: dict[str, Any], context: QgsProcessingContext, answer: Answer
    ) -> str | None:
        """The audit as a table; its id, None when nobody wants it."""
        if not parameters.get(FINDINGS):
            return None
        columns = "&".join(f"field={name}:string" for name in COLUMNS)
        # Field types are spelt otherwise on Qt 6; a layer's address is the same everywhere.
        fields = QgsVectorLayer(f"NoGeometry?{columns}", "findings", "memory").fields()
        sink, made = self.parameterAsSink(
            parameters,
            FINDINGS,
            context,
            fields,
            QgsWkbTypes.Type.NoGeometry,
            QgsCoordinateReferenceSystem(),
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, FINDINGS))
        for part in answer.parts.values():
            for one in part.findings:
                row = QgsFeature(fields)
                row.setAttributes(
                    [
                        part.answer_id,
                        one.severity,
                        one.kind,
                        one.sentence,
                        one.claim,
                        one.verdict,
                        ", ".join(one.evidence),
                    ]
                )
                sink.addFeature(row, QgsFeatureSink.Flag.FastInsert)
        return made


def report_of(answer: Answer) -> str:
    """The audit as a page of its own, every text escaped."""
    made = Html(answer, links=False)
    parts = (
        ("", f"<p><b>{escaped(answer.line)}</b></p>" + made.weaknesses()),
        (tr("Audit"), made.findings() or f"<p>{escaped(tr('Nothing was found.'))}</p>"),
        (tr("Coverage"), made.coverage()),
    )
    body = "".join((f"<h2>{escaped(title)}</h2>" if title else "") + text for title, text in parts)
    title = escaped(answer.question or tr("Audit"))
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )


def _layers(path: Path) -> ResultLayers:
    """A result's tables, outside of any project."""
    layers = {kind: QgsVectorLayer(f"{path}|layername={kind}", kind, "ogr") for kind in KINDS}
    return ResultLayers("", path, **layers)
