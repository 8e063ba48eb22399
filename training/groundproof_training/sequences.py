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


class Encoder:
    """Turns samples into sequences for one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._ids = special_ids(tokenizer)
        self._zero = first_number_id(tokenizer)
        self._item = tokenizer.convert_tokens_to_ids("E")
        self._open = tokenizer.convert_tokens_to_ids("\u0120[")
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}], tokenize=False
        )
        self._head = tokenizer.encode(text.split("<|image|>")[0], add_special_tokens=False)

    @property
    def image_start(self) -> int:
        """Index of the first image token: the same for every prompt without a system text."""
        return len(self._head)

    def prompt(self, text: str, image_tokens: int) -> list[int]:
        """Token ids of a whole prompt, ready for generation."""
        chat = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}],
            tokenize=False,
            add_generation_prompt=True,
        )
        before, after = chat.split("<|image|>")
        encode = self._tokenizer.encode
        return (
            encode(before, add_special_tokens=False)
            + [self._ids["<|image|>"]] * image_tokens
            + encode(after, add_special_tokens=False)
        )

    def completion(self, text: str) -> list[int]:
        """Token ids of a completion and its end token."""
        return [*self._tokenizer.encode(text, add_special_tokens=False), self._ids["<|user|>"]]

    def encode(self, sample: Sample, image_tokens: int) -> Sequence1:
        """Ids and supervision of one sample."""
        prompt, tail = self.prompt(sample.prompt, image_tokens), self.completion(sample.completion)
        start = self.image_start
        numbers, points, decides = self._supervise(tail, sample.anchors, start, start + image_tokens)
        empty = [-1] * len(prompt)
        return Sequence1(
            prompt + tail, len(prompt), empty + numbers, empty + points, [False] * len(prompt) + decides
        )

    def _supervise(
        self, ids: Sequence[int], anchors: Sequence[int], image_start: int, image_end: int
    ) -> tuple[list[int], list[int], list[bool]]:
        numbers, points, decides = [-1] * len(ids), [-1] * len(ids), [False] * len(ids)
        special = self._ids
        targets = [image_start + a for a in anchors] + [image_end]
        part, k, in_item, in_box = "", 0, False, False
        for i, token in enumerate(ids):
            if token == special["<evidence>"]:
                part, k = "evidence", 0
                continue
            if token == special["<answer>"]:
                part, k = "answer", 0
                continue
            if part == "evidence":
                if in_item:
                    if token == special["]. "]:
                        in_item = in_box = False
                        k += 1
                        continue
                    points[i] = targets[k]
                    in_box = in_box or token == self._open
                    if in_box and self._zero <= token < self._zero + 1000:
                        numbers[i] = token - self._zero
                else:
                    points[i], decides[i] = targets[k], True
                    in_item = token == self._item and k < len(anchors)
                    part = part if in_item else ""
                if token == special["</evidence>"]:
                    part = ""
            elif part == "answer":
                if token == special["[["]:
                    in_box = True
                    points[i], decides[i] = targets[0], True
                elif token == special["],["]:
                    k += 1
                    points[i], decides[i] = targets[k], True
                elif token in (special["]]"], special["[]"]):
                    points[i], decides[i] = targets[-1], True
                    in_box = False
                elif in_box:
                    points[i] = targets[k]
                    if self._zero <= token < self._zero + 1000:
                        numbers[i] = token - self._zero
                if token == special["</answer>"]:
                    part = ""
        return numbers, points, decides


@dataclass(frozen=True, slots=True)
class SequenceBatch:
    """Padded on the right. ids (B, L) long; labels, points, numbers (B, L) refer to token i as in `Sequence1`;
    `weights` (B, L) float, 0 where nothing is learnt."""

    ids: torch.Tensor
    length: torch.Tensor
    numbers: torch.Tensor
    points: torch.Tensor
    weights: torch.Tensor


def collate(sequences: Sequence[Sequence1], pad_id: int, decision_weight: float = 3.0) -> SequenceBatch:
    """Stack sequences; positions that decide whether a list goes on weigh `decision_weight` times a plain one."""
    longest = max(len(s.ids) for s in sequences)
    shape = (len(sequences), longest)
    ids = torch.full(shape, pad_id)
    numbers, points = torch.full(shape, -1), torch.full(shape, -1)
    weights = torch.zeros(shape)
    for row, s in enumerate(sequences):
        n = len(s.ids)
        ids[row, :n] = torch.tensor(s.ids)
        numbers[row, :n] = torch.tensor(s.numbers)
        points[row, :n] = torch.tensor(s.points)
        weights[row, s.start : n] = 1
        weights[row, :n] += torch.tensor(s.decides).float() * (decision_weight - 1)
    return SequenceBatch(ids, torch.tensor([len(s.ids) for s in sequences]), numbers, points, weights)
