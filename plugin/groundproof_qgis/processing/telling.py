"""What a run says while it goes, in Processing's log and progress bar.

Knows feedback. Refuses to know what is asked and how.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsProcessingFeedback

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.engine.sse import Event
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.tasks.ask import AskListener, percent_answered, percent_sent


class Telling(AskListener):
    """Listens to a question that is asked. Safe in any thread, as feedback is."""

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        self._feedback = feedback
        self._said = ""

    def stage(self, sentence: str) -> None:
        """See `AskListener`; the same sentence is not said twice."""
        if sentence and sentence != self._said:
            self._said = sentence
            self._feedback.pushInfo(sentence)

    def sent(self, pixels: int, of: int) -> None:
        """See `AskListener`."""
        self._feedback.setProgress(percent_sent(pixels, of))

    def job_started(self, job_id: str) -> None:
        """See `AskListener`."""
        self._feedback.pushDebugInfo(tr("The engine's job: {id}").format(id=job_id))

    def progressed(self, answered: int, tiles: int, failed: int, seconds_left: float) -> None:
        """See `AskListener`."""
        if tiles:
            self._feedback.setProgress(percent_answered(answered, tiles))

    def events(self, events: Sequence[Event]) -> None:
        """See `AskListener`: the plan, and what is worth knowing."""
        for event in events:
            if event.name in ("plan", "note"):
                self._feedback.pushInfo(str(event.data.get("text") or ""))


def tell_answer(answer: Answer, feedback: QgsProcessingFeedback) -> None:
    """The answer, what weakens it right below, and how much was looked at."""
    feedback.pushInfo(answer.line)
    for sentence in answer.weaknesses:
        feedback.pushWarning(sentence)
    feedback.pushInfo(answer.coverage_sentence)
