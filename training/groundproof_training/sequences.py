"""Samples as token sequences, with what each position is supervised on. Knows the templates, no pixels.

Beside the next token, training tells each position of a completion where to look: at the anchor token of the
object it is about to write of, or at `<|end_of_image|>` where the list ends. A next-token loss alone learns to
point far more slowly (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from groundproof_training.templates import Sample
from groundproof_training.tokenizer import first_number_id, special_ids

IGNORE = -100


@dataclass(frozen=True, slots=True)
class Sequence1:
    """One encoded sample.

    ids: prompt with its image tokens, completion, end. start: index of the first completion token.
    numbers[i]: the value 0..999 if token i is a box number, else -1. points[i]: index of the token to look at when
    token i is predicted (that is, from position i - 1), else -1. decides[i]: token i says whether the list goes on.
    """

    ids: list[int]
    start: int
    numbers: list[int]
    points: list[int]
    decides: list[bool]


@dataclass(frozen=True, slots=True)
class _Supervision:
    """The three lists of `Sequence1` while they are filled, of one completion."""

    numbers: list[int]
    points: list[int]
    decides: list[bool]


class Encoder:
    """Turns samples into sequences for one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._ids = special_ids(tokenizer)
        self._zero = first_number_id(tokenizer)
        self._item = tokenizer.convert_tokens_to_ids("E")
        self._open = tokenizer.convert_tokens_to_ids("\u0120[")
        self._comma = tokenizer.convert_tokens_to_ids(",")
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}], tokenize=False
        )
        self._head = tokenizer.encode(text.split("<|image|>")[0], add_special_tokens=False)

    @property
    def image_start(self) -> int:
        """Index of the first image token: the same for every prompt without a system text."""
        return len(self._head)

    def prompt(self, text: str, image_tokens: int, n_images: int = 1) -> list[int]:
        """Token ids of a whole prompt, ready for generation. image_tokens: of each image."""
        chat = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": [*[{"type": "image"}] * n_images, {"type": "text", "text": text}]}],
            tokenize=False,
            add_generation_prompt=True,
        )
        # Only the images stand before the question, so a question that spells the token out stays text.
        parts = chat.split("<|image|>", n_images)
        ids = self._tokenizer.encode(parts[0], add_special_tokens=False)
        for part in parts[1:]:
            ids += [self._ids["<|image|>"]] * image_tokens
            ids += self._tokenizer.encode(part, add_special_tokens=False)
        return ids

    def completion(self, text: str) -> list[int]:
        """Token ids of a completion and its end token."""
        return [*self._tokenizer.encode(text, add_special_tokens=False), self._ids["<|user|>"]]

    def encode(self, sample: Sample, image_tokens: int) -> Sequence1:
        """Ids and supervision of one sample. Over several images nothing is pointed at."""
        prompt = self.prompt(sample.prompt, image_tokens, sample.n_images)
        tail = self.completion(sample.completion)
        start = self.image_start
        if sample.n_images == 1:
            evidence = [start + a for a in sample.anchors]
            answer = [start + a for a in sample.answer_anchors]
            end = start + image_tokens
        else:
            evidence, answer, end = [-1] * len(sample.anchors), [-1] * len(sample.answer_anchors), -1
        numbers, points, decides = self._supervise(tail, evidence, answer, end)
        empty = [-1] * len(prompt)
        return Sequence1(
            prompt + tail, len(prompt), empty + numbers, empty + points, [False] * len(prompt) + decides
        )

    def _supervise(
        self, ids: Sequence[int], evidence: Sequence[int], answer: Sequence[int], end: int
    ) -> tuple[list[int], list[int], list[bool]]:
        """Numbers, points and decisions of a completion. evidence, answer: the token to look at for each box of
        that part, in the order written; end: the one to look at where a list ends."""
        s = _Supervision([-1] * len(ids), [-1] * len(ids), [False] * len(ids))
        self._supervise_evidence(ids, self._part(ids, "evidence"), [*evidence, end], s)
        self._supervise_answer(ids, self._part(ids, "answer"), [*answer, end], s)
        return s.numbers, s.points, s.decides

    def _part(self, ids: Sequence[int], tag: str) -> range:
        """Indices of the tokens of one part, its closing tag included; empty where there is no such part."""
        first, last = self._ids[f"<{tag}>"], self._ids[f"</{tag}>"]
        if first not in ids:
            return range(0)
        start = ids.index(first) + 1
        return range(start, ids.index(last, start) + 1)

    def _supervise_evidence(
        self, ids: Sequence[int], where: range, targets: Sequence[int], s: _Supervision
    ) -> None:
        """From "E" to the bracket of its box an item looks at its object; "E" itself is a decision."""
        k, in_item, in_box = 0, False, False
        for i in where:
            if not in_item:
                s.points[i], s.decides[i] = targets[k], True
                if ids[i] != self._item or k == len(targets) - 1:
                    return
                in_item = True
            elif ids[i] == self._ids["]. "]:
                in_item, in_box, k = False, False, k + 1
            else:
                s.points[i] = targets[k]
                in_box = in_box or ids[i] == self._open
                self._number(ids, i, s, in_box)

    def _supervise_answer(
        self, ids: Sequence[int], where: range, targets: Sequence[int], s: _Supervision
    ) -> None:
        """A list `[[..],[..]]` decides at every bracket; boxes behind names `[..],[..]` where one follows another."""
        special, boxes = self._ids, len(targets) - 1
        k, in_box, listed = 0, False, False
        for i in where:
            token = ids[i]
            if token == special["[]"]:
                s.points[i], s.decides[i] = targets[-1], True
            elif token == special["[["] and boxes:
                s.points[i], s.decides[i] = targets[0], True
                in_box = listed = True
            elif token == self._open and k < boxes:
                s.points[i], in_box = targets[k], True
            elif not in_box:
                continue
            elif token == special["],["] and k + 1 < boxes:
                k += 1
                s.points[i], s.decides[i] = targets[k], True
            elif self._is_number(token) or token == self._comma:
                s.points[i] = targets[k]
                self._number(ids, i, s, True)
            else:
                s.points[i], s.decides[i] = (targets[-1] if listed else -1), True
                in_box, k = False, k + 1

    def _is_number(self, token: int) -> bool:
        return self._zero <= token < self._zero + 1000

    def _number(self, ids: Sequence[int], i: int, s: _Supervision, in_box: bool) -> None:
        if in_box and self._is_number(ids[i]):
            s.numbers[i] = ids[i] - self._zero


@dataclass(frozen=True, slots=True)
class SequenceBatch:
    """Padded on the right. ids (B, L) long; numbers, points (B, L) refer to token i as in `Sequence1`; `weights`
    (B, L) float, 0 where nothing is learnt.

    A row may hold several questions about one image behind one copy of it: `segments` (B, L) is 0 for what they
    share, 1, 2, ... for the questions, -1 for padding; `places` (B, L) is the index a token would have if its question
    stood alone.
    """

    ids: torch.Tensor
    length: torch.Tensor
    numbers: torch.Tensor
    points: torch.Tensor
    weights: torch.Tensor
    segments: torch.Tensor
    places: torch.Tensor

    def allowed(self) -> torch.Tensor | None:
        """Which position may look at which, (B, L, L) bool: earlier ones that are shared or of its own question.
        None where plain causal attention says the same."""
        if int(self.segments.max()) < 2:
            return None
        own = self.segments[:, :, None] == self.segments[:, None]
        shared = (self.segments == 0)[:, None]
        causal = torch.ones(self.ids.shape[1], self.ids.shape[1], dtype=torch.bool).tril()
        return (own | shared) & causal


def collate(
    groups: Sequence[Sequence[Sequence1]], shared: int, pad_id: int, decision_weight: float = 3.0
) -> SequenceBatch:
    """Stack rows; positions that decide whether a list goes on weigh `decision_weight` times a plain one.

    groups: the questions of each row, all about one image. shared: how many leading tokens they have in common.
    """
    rows = [_row(group, shared, decision_weight) for group in groups]
    longest = max(len(row["ids"]) for row in rows)
    fill = {"ids": pad_id, "numbers": -1, "points": -1, "weights": 0.0, "segments": -1, "places": 0}
    stacked = {
        key: torch.tensor([row[key] + [empty] * (longest - len(row[key])) for row in rows])
        for key, empty in fill.items()
    }
    return SequenceBatch(length=torch.tensor([len(row["ids"]) for row in rows]), **stacked)


def _row(group: Sequence[Sequence1], shared: int, decision_weight: float) -> dict[str, list]:
    first = group[0]
    row: dict[str, list] = {
        "ids": first.ids[:shared],
        "numbers": [-1] * shared,
        "points": [-1] * shared,
        "weights": [0.0] * shared,
        "segments": [0] * shared,
        "places": list(range(shared)),
    }
    for k, s in enumerate(group, start=1):
        if s.ids[:shared] != row["ids"][:shared]:
            raise ValueError(
                f"question {k} of a row does not begin with the {shared} tokens that it should share"
            )
        n = len(s.ids)
        learnt = [0.0] * s.start + [decision_weight if d else 1.0 for d in s.decides[s.start :]]
        row["ids"] += s.ids[shared:]
        row["numbers"] += s.numbers[shared:]
        row["points"] += s.points[shared:]
        row["weights"] += learnt[shared:]
        row["segments"] += [k] * (n - shared)
        row["places"] += list(range(shared, n))
    return row
