"""Tile answers to the scene's answer, computed from merged evidence, never by adding up tiles' counts.

Knows replies, merged and numbered evidence, and coverage. Refuses to know models and files. No answer says
"nothing there" of a place that was not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from groundproof.counting import answers_to, counted
from groundproof.coverage import where_looked
from groundproof.labels import is_kind_of, plural
from groundproof.protocol import Task, is_existence
from groundproof.text_answers import classes, listed, spoken, tiles_that_say
from groundproof.wording import OBJECT, amount, amounts, e_list, joined, one_line, tile_list

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from groundproof.findings import TileReply
    from groundproof.models.profiles import Profile

MAX_LABELS = 4
"""Labels named one by one in an answer to a question that asked for none in particular."""

MAX_PLANS = 5
"""Different plans written out; the rest are numbered (all are in the tiles' texts)."""


@dataclass(frozen=True, slots=True)
class SceneAnswer:
    """The answer to one question about one area: columns `answer`, `value`, `plan`, `synthesis`.

    value: int for count; True, False or None for yes and no (None: not all was looked at, and nothing was
    found); a class, or a list of them; E-numbers for detect, ground and change; else the text. None
    whenever nothing could be looked at.
    """

    answer: str
    value: int | bool | str | list[Any] | float | None
    plan: str
    synthesis: str


def synthesise(
    question: str,
    task: Task,
    asked: Collection[str],
    replies: Sequence[TileReply],
    evidence: pd.DataFrame,
    cover: Mapping[str, Any],
    *,
    overview: TileReply | None = None,
) -> SceneAnswer:
    """The scene's answer. Pure.

    asked: normalised labels of the objects asked for, empty when the question names none. replies: all
    tiles of the answer. evidence: its merged rows, numbered, of the evidence table. cover: from
    `coverage.coverage`. overview: the reply to the decimated area as a whole, for tasks that have one.
    """
    found = _Found(task, asked, replies, evidence, cover)
    plan = plan_of(replies)
    if not cover["looked_at"] and not (overview is not None and overview.answered):
        words = f"could not look: {cover['sentence']}"
        return SceneAnswer(words, None, plan, _sentence(words))
    answered = [reply for reply in replies if reply.answered]
    value: Any
    if is_computed(question, task):
        match task:
            case Task.COUNT:
                answer, value = found.count()
            case Task.DETECT:
                answer, value = found.detect()
            case Task.GROUND:
                answer, value = found.ground()
            case _:
                answer, value = found.existence()
        return SceneAnswer(answer, value, plan, found.synthesis())
    if task is Task.CLASSIFY:
        answer, value, why = classes(answered)
    elif overview is not None and overview.answered:
        answer, value = spoken(overview)
        why = f"From an overview of the whole area{' and the evidence of its tiles' if found.ids else ''}."
    elif task is Task.CHANGE and len(answered) > 1 and found.ids:
        answer, value, why = found.change(), found.ids, ""
    else:
        answer, value, why = listed(answered)
    return SceneAnswer(answer, value, plan, " ".join(part for part in (why, found.synthesis()) if part))


def within_training(answer: SceneAnswer, asked: Collection[str], profile: Profile | None) -> SceneAnswer:
    """The answer, unless none of what was asked for is known to the model: then that it cannot say.

    "No trees found" by a model that was never shown a tree would read as "nothing there".
    """
    if profile is None or profile.labels is None or not asked:
        return answer
    if any(
        is_kind_of(label, known) or is_kind_of(known, label) for label in asked for known in profile.labels
    ):
        return answer
    words = (
        f"cannot say: the model {profile.name} was not trained to find {joined([plural(a) for a in asked])}"
    )
    return replace(answer, answer=words, value=None)


def is_computed(question: str, task: Task) -> bool:
    """The answer follows from the counted boxes alone, so a review of boxes changes it."""
    return task in (Task.COUNT, Task.DETECT, Task.GROUND) or (task is Task.VQA and is_existence(question))


def plan_of(replies: Sequence[TileReply]) -> str:
    """What was to be done: the tiles' plans, each once, with the tiles it comes from when they differ."""
    plans: dict[str, list[int]] = {}
    for reply in replies:
        if reply.said is not None and reply.said.plan.strip():
            plans.setdefault(" ".join(reply.said.plan.split()), []).append(reply.number)
    if len(plans) < 2:
        return next(iter(plans), "")
    ordered = sorted(plans.items(), key=lambda item: (-len(item[1]), item[1][0]))
    lines = [f"{_capital(tile_list(numbers))}: {plan}" for plan, numbers in ordered[:MAX_PLANS]]
    rest = [number for _, numbers in ordered[MAX_PLANS:] for number in numbers]
    if rest:
        lines.append(f"{_capital(tile_list(rest))}: {len(ordered) - MAX_PLANS} other plans.")
    return "\n".join(lines)


class _Found:
    """The merged evidence as the question sees it."""

    def __init__(
        self,
        task: Task,
        asked: Collection[str],
        replies: Sequence[TileReply],
        evidence: pd.DataFrame,
        cover: Mapping[str, Any],
    ) -> None:
        self._asked = tuple(dict.fromkeys(asked))
        self._replies = replies
        self._evidence = evidence
        self._cover = cover
        # A phrase ("the ship left of the pier") names its objects only loosely, and a change may be called
        # anything: there every counted box is meant.
        self._by_name = task not in (Task.GROUND, Task.CHANGE)
        self._rows: NDArray[np.bool_] = counted(evidence)
        if self._by_name:
            self._rows = self._rows & answers_to(evidence, self._asked)
        self.ids = [str(one) for one in evidence["evidence_id"][self._rows]]

    def count(self) -> tuple[str, int]:
        if self.ids:
            return f"{self._amounts()}{self._where()}", len(self.ids)
        return self._nothing(_is_some), 0

    def detect(self) -> tuple[str, list[str]]:
        if self.ids:
            return f"{self._amounts()}{self._where()}: {e_list(self.ids)}", self.ids
        return self._nothing(_is_some), []

    def ground(self) -> tuple[str, list[str]]:
        if not self.ids:
            return f"nothing found that fits the phrase{self._where()}", []
        fits = "fits" if len(self.ids) == 1 else "fit"
        return f"{self._amounts()} {fits} the phrase{self._where()}: {e_list(self.ids)}", self.ids

    def existence(self) -> tuple[str, bool | None]:
        if self.ids:
            return f"yes: {self._amounts()}, {e_list(self.ids)}", True
        if self._says(_is_some):
            return f"yes by the text alone: {self._nothing(_is_some)}", True
        if self._where():
            return self._nothing(), None
        return f"no: {self._nothing()}", False

    def change(self) -> str:
        shows = "shows" if len(self.ids) == 1 else "show"
        boxes = amount(len(self.ids), "box")
        return f"{boxes} {shows} change{self._where()} ({self._amounts()}): {e_list(self.ids)}"

    def synthesis(self) -> str:
        """Which evidence in which tiles gives the answer, what is not counted, and what was not seen."""
        parts = [self._shown(), self._not_counted()]
        if self._where():
            parts.append(_sentence(self._cover["sentence"]))
        if len(self._replies) == 1 and self._replies[0].said is not None:
            text = one_line(self._replies[0].said.synthesis, 2000)
            if text:
                parts.append(f"The model writes: {text}")
        return " ".join(part for part in parts if part)

    def _where(self) -> str:
        return where_looked(self._cover)

    def _amounts(self) -> str:
        """ "3 airplanes and 2 ships, 5 in all": by asked label, or by the rows' own when none was asked."""
        labels = self._evidence["label"][self._rows].fillna("").astype(str)
        n_by_label = labels.value_counts(sort=False)
        total = len(labels)
        if self._asked and self._by_name:
            if len(self._asked) == 1:
                return amount(total, self._asked[0])
            groups = dict.fromkeys(self._asked, 0)
            for label, n in n_by_label.items():
                home = next((one for one in self._asked if is_kind_of(str(label), one)), self._asked[0])
                groups[home] += int(n)
            return f"{amounts(list(groups.items()))}, {total} in all"
        by_label = sorted(
            ((str(k), int(n)) for k, n in n_by_label.items()), key=lambda item: (-item[1], item[0])
        )
        if len(by_label) == 1:
            return amount(total, by_label[0][0])
        if len(by_label) <= MAX_LABELS:
            return f"{amounts(by_label)}, {total} in all"
        return f"{amount(total, OBJECT)} of {len(by_label)} kinds"

    def _nothing(self, claims: Callable[[Any], bool] | None = None) -> str:
        """ "no airplanes: none found in the 62 of 64 tiles looked at", and what the texts say against it."""
        noun = " or ".join(plural(label) for label in self._asked) or plural(OBJECT)
        words = f"no {noun}: none found{self._where()}" if self._where() else f"no {noun} found"
        if claims is None or not self._says(claims):
            return words
        return f"no box shows {noun}{self._where()}, but {self._says(claims)}"

    def _says(self, claims: Callable[[Any], bool]) -> str:
        # A text with boxes has shown what it meant; if none of them counts, that is not the text's word
        # against the map.
        bare = [r for r in self._replies if r.said and not r.said.has_boxes]
        return tiles_that_say(bare, claims)

    def _shown(self) -> str:
        if not self.ids:
            return ""
        labels = self._evidence["label"].fillna("").astype(str).to_numpy()[self._rows]
        ids = np.asarray(self.ids, dtype=object)
        words = [
            f"{amount(int((labels == label).sum()), label)}, {e_list(ids[labels == label])}"
            for label in dict.fromkeys(labels.tolist())
        ]
        return _sentence("; ".join(words) + self._in_tiles())

    def _in_tiles(self) -> str:
        if len(self._replies) < 2:
            return ""
        numbers = {reply.tile_id: reply.number for reply in self._replies}
        seen = {
            numbers[str(tile_id)]
            for tile_ids in self._evidence["tile_ids"][self._rows]
            if isinstance(tile_ids, list | tuple | np.ndarray)
            for tile_id in tile_ids
            if str(tile_id) in numbers
        }
        return f"; seen in {tile_list(seen)}" if seen else ""

    def _not_counted(self) -> str:
        left = self._evidence[~self._rows]
        why = np.where(
            left["review"] == "rejected",
            "rejected in review",
            np.where(counted(left), "not asked for", left["verdict"].fillna("").astype(str)),
        )
        ids = left["evidence_id"].astype(str).to_numpy()
        words = [f"{e_list(ids[why == reason])} ({reason})" for reason in dict.fromkeys(why.tolist())]
        return f"Not counted: {joined(words)}." if words else ""


def _is_some(value: Any) -> bool:
    """A text's value says that something is there: yes, or a number above 0."""
    return value is True or (isinstance(value, int) and value > 0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return f"{_capital(text).rstrip('.')}."
