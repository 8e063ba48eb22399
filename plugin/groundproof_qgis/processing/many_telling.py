"""What a run over many scenes says while it goes: scenes, tiles, and how long it will take.

Knows feedback. Refuses to know how scenes are sent and asked.
"""

from __future__ import annotations

import time

from qgis.core import QgsProcessingFeedback

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.asking.size_words import duration_words
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.processing.telling import Telling, tell_answer
from groundproof_qgis.tasks.ask import SENDING_PERCENT

SENDING = SENDING_PERCENT / 100.0
"""Share of a scene's work that is sending it; the rest is answering."""
SAY_S = 2.0
"""Between two sentences about the progress."""
KNOWN_FROM_S = 3.0
KNOWN_FROM = 0.01
"""After so long, and so much of the work, the time left is worth saying."""
TOLD = 50
"""Answers that are told one by one; the file has all of them."""


class ManyTelling(Telling):
    """Listens to a run over `scenes` scenes with as many `questions`. Safe in any thread, as feedback is."""

    def __init__(self, feedback: QgsProcessingFeedback, scenes: int, questions: int) -> None:
        super().__init__(feedback)
        self._scenes, self._questions = scenes, questions
        self._began, self._said_at = time.monotonic(), 0.0
        self._done = 0.0
        self._sent = 0
        self._asking, self._question = 0, 0

    def scene_sent(self, number: int) -> None:
        """So many of the scenes were looked at and, where they could be, sent."""
        self._sent = number
        self._show(tr("{n} of {scenes} scenes sent").format(n=number, scenes=self._scenes))

    def sent(self, pixels: int, of: int) -> None:
        """Of the next scene."""
        part = pixels / of if of else 1.0
        self._show(tr("{n} of {scenes} scenes sent").format(n=self._sent, scenes=self._scenes), part)

    def lost(self, name: str, why: str) -> None:
        """A scene failed; the others go on."""
        self._feedback.pushWarning(tr("{scene} failed: {why}").format(scene=name, why=why))

    def asks(self, scenes: int, question: int) -> None:
        """Now a question, 0 the first, is asked about so many scenes that were sent last."""
        self._asking, self._question = scenes, question

    def progressed(self, answered: int, tiles: int, failed: int, seconds_left: float) -> None:
        """See `AskListener`."""
        if not tiles:
            return
        words = tr("{scenes} scenes: {n} of {tiles} tiles").format(
            scenes=self._asking, n=answered, tiles=tiles
        )
        if failed:
            words = tr("{progress}, {n} failed").format(progress=words, n=failed)
        last = self._sent == self._scenes and self._question == self._questions - 1
        share = (self._question + answered / tiles) / self._questions
        self._show(words, answering=share, left=seconds_left if last else -1.0)

    def asked(self) -> None:
        """All that was sent is answered, or given up."""
        self._done = float(self._sent)
        self._asking = 0

    def _show(self, words: str, sending: float = 0.0, answering: float = 0.0, left: float = -1.0) -> None:
        waiting = self._sent - self._done  # sent, or given up, and not answered yet
        done = self._done + waiting * (SENDING + (1.0 - SENDING) * answering) + sending * SENDING
        share = min(1.0, done / self._scenes)
        self._feedback.setProgress(100.0 * share)
        now = time.monotonic()
        if now - self._said_at < SAY_S:
            return
        self._said_at = now
        since = now - self._began
        if left < 0 and since > KNOWN_FROM_S and share > KNOWN_FROM:
            left = since * (1.0 - share) / share
        if left >= 0:
            words = tr("{progress}, about {time} left").format(progress=words, time=duration_words(left))
        self._feedback.setProgressText(words)


def tell_answers(answer: Answer, feedback: QgsProcessingFeedback) -> None:
    """Each answer with what weakens it; of very many the first ones."""
    if len(answer.parts) == 1:
        tell_answer(answer, feedback)
        return
    for part in list(answer.parts.values())[:TOLD]:
        feedback.pushInfo(f"{part.answer_id} {part.place}: {part.line}")
        for sentence in part.weaknesses:
            feedback.pushWarning(f"{part.answer_id}: {sentence}")
    if len(answer.parts) > TOLD:
        feedback.pushInfo(tr("{n} more answers are in the table answers.").format(n=len(answer.parts) - TOLD))
    feedback.pushInfo(coverage_of(answer))


def coverage_of(answer: Answer) -> str:
    """One sentence about the tiles of all answers."""
    covers = [part.coverage for part in answer.parts.values() if part.coverage is not None]
    if len(covers) < 2:
        return answer.coverage_sentence
    return tr("looked at {n} of {tiles} tiles ({skipped} without data, {failed} failed)").format(
        n=sum(cover.looked_at for cover in covers),
        tiles=sum(cover.tiles for cover in covers),
        skipped=sum(cover.skipped for cover in covers),
        failed=sum(cover.failed for cover in covers),
    )
