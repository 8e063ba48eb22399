"""What a model folder can do on held-out scenes: F1 at IoU 0.5, exact counts, presence, parse rate.

    groundproof-train evaluate engine/groundproof/weights/tiny --scenes 200 --json

Loads the folder with transformers' own class, feeds it through transformers' own image processor and `generate`,
greedy, and reads the text with the engine's parser: nothing of the training code stands between. Seeds start at
`HELD_OUT_SEED`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from transformers import Glm4vForConditionalGeneration, PreTrainedTokenizerFast
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil

from groundproof.boxes import BoxFrame
from groundproof.protocol import Task
from groundproof.trace import parse
from groundproof_training.matching import match
from groundproof_training.model import CELL_PX
from groundproof_training.sequences import Encoder
from groundproof_training.shards import HELD_OUT_SEED, Objects, render
from groundproof_training.templates import WORDS, write_prompt

CLASS_NAMES = tuple(WORDS)


class EvaluateConfig(BaseModel):
    """Which held-out scenes, and which questions about each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shapes: tuple[tuple[int, int], ...] = (
        (168, 168), (224, 224), (280, 280), (336, 336), (168, 336), (336, 168), (224, 280), (336, 224)
    )  # fmt: skip
    scenes: int = 160
    objects_at_most: int = 12
    first_seed: int = HELD_OUT_SEED
    batch_size: int = 16
    max_new_tokens: int = 420


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one held-out scene. `boxes` (n, 4) px: the true objects of the class asked about."""

    image: np.ndarray
    task: str
    label: str
    text: str
    boxes: np.ndarray


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the raw text, its evidence boxes (n, 4) px, its answer text, whether it parsed."""

    text: str
    boxes: np.ndarray
    answer: str
    parsed: bool


QUESTION_OF = {
    "count": "How many {many} are there?",
    "detect": "Find all {many}.",
    "ground": "Locate every {one}.",
    "vqa": "Are there any {many}?",
}


def held_out(cfg: EvaluateConfig) -> Iterator[Question]:
    """One question per scene and per class in turn: tasks rotate, present and absent classes as they come."""
    tasks = tuple(QUESTION_OF)
    for i in range(cfg.scenes):
        width, height = cfg.shapes[i % len(cfg.shapes)]
        image, objects = render(cfg.first_seed + i, width, height, cfg.objects_at_most)
        labels = asked_labels(objects, i)
        for k, label in enumerate(labels):
            task = tasks[(i // len(cfg.shapes) + k) % len(tasks)]
            one, many = WORDS[CLASS_NAMES[label]][0]
            text = write_prompt(task, QUESTION_OF[task].format(one=one, many=many))
            yield Question(image, task, CLASS_NAMES[label], text, objects.boxes[objects.labels == label])


def asked_labels(objects: Objects, turn: int) -> list[int]:
    """Every class that is there, and one that is not."""
    present = sorted({int(label) for label in objects.labels})
    absent = [k for k in range(len(CLASS_NAMES)) if k not in present]
    return [*present, *absent[turn % len(absent) :][:1]] if absent else present


class Answerer:
    """A model folder, ready to answer; no training code touches the model."""

    def __init__(self, folder: Path) -> None:
        self.model = Glm4vForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        self.images = Glm4vImageProcessorPil.from_pretrained(folder)
        self._encoder = Encoder(self.tokenizer)

    @torch.no_grad()
    def texts(self, images: Sequence[np.ndarray], prompts: Sequence[str], max_new_tokens: int) -> list[str]:
        """Greedy completions of equal-sized or different tiles; one generate call."""
        pixels = self.images(images=list(images), return_tensors="pt", input_data_format="channels_last")
        counts = (pixels["image_grid_thw"].prod(-1) // 4).tolist()
        rows = [self._encoder.prompt(text, n) for text, n in zip(prompts, counts, strict=True)]
        longest = max(map(len, rows))
        ids = torch.tensor([[self.tokenizer.pad_token_id] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        out = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            mm_token_type_ids=(ids == self.model.config.image_token_id).int(),
            pixel_values=pixels["pixel_values"],
            image_grid_thw=pixels["image_grid_thw"],
            max_new_tokens=max_new_tokens,
            do_sample=False,
        )
        return [self.tokenizer.decode(row[longest:], skip_special_tokens=True) for row in out]

    def replies(self, questions: Sequence[Question], max_new_tokens: int) -> list[Reply]:
        """Answers of one batch, parsed."""
        texts = self.texts([q.image for q in questions], [q.text for q in questions], max_new_tokens)
        return [read_reply(text, q) for text, q in zip(texts, questions, strict=True)]


def read_reply(text: str, question: Question) -> Reply:
    """Parse one completion with the engine's parser; boxes to pixels of the tile."""
    trace = parse(text, BoxFrame.PER_MILLE, Task(question.task))
    height, width = question.image.shape[:2]
    boxes = [e.box for e in trace.evidence if e.role == "evidence"]
    px = np.array([[b.x0 * width, b.y0 * height, b.x1 * width, b.y1 * height] for b in boxes]) / 1000
    answer = text.rpartition("<answer>")[2].partition("</answer>")
    whole = text.startswith("<think>") and text.endswith("</answer>") and not trace.repairs
    return Reply(text, px.reshape(-1, 4), answer[0] if answer[1] else "", whole)


def evaluate(folder: Path, cfg: EvaluateConfig, report=lambda line: None) -> dict:
    """All figures as one JSON-able dictionary; `report` gets progress lines."""
    answerer = Answerer(folder)
    groups: dict[tuple[int, int], list[Question]] = defaultdict(list)
    for question in held_out(cfg):
        groups[question.image.shape[:2]].append(question)
    pairs: list[tuple[Question, Reply]] = []
    total, started = sum(map(len, groups.values())), time.monotonic()
    for group in groups.values():
        for start in range(0, len(group), cfg.batch_size):
            part = group[start : start + cfg.batch_size]
            pairs += zip(part, answerer.replies(part, cfg.max_new_tokens), strict=True)
            spent = time.monotonic() - started
            report(f"{len(pairs)}/{total} questions, {spent / len(pairs) * (total - len(pairs)):.0f} s left")
    result = {
        "folder": folder.name,
        "scenes": cfg.scenes,
        "questions": total,
        "seconds": round(time.monotonic() - started, 1),
    }
    result |= {"all": figures(pairs)}
    by = lambda key: {name: figures([p for p in pairs if key(p[0]) == name])  # noqa: E731
                      for name in sorted({key(q) for q, _ in pairs})}  # fmt: skip
    result["class"] = by(lambda q: q.label)
    result["shape"] = by(lambda q: f"{q.image.shape[1]}x{q.image.shape[0]}")
    result["task"] = by(lambda q: q.task)
    return result


def figures(pairs: Sequence[tuple[Question, Reply]]) -> dict:
    """F1@0.5 (micro, one-to-one, best overlap first), exact listed counts, absent classes left empty, parse rate."""
    hits = sum(match(r.boxes, q.boxes) for q, r in pairs)
    loose = sum(match(r.boxes, q.boxes, 0.25) for q, r in pairs)
    predicted, true = sum(len(r.boxes) for _, r in pairs), sum(len(q.boxes) for q, _ in pairs)
    share = lambda flags: round(float(np.mean(flags)), 3) if len(flags) else None  # noqa: E731
    ratio = lambda a, b: round(a / b, 3) if b else None  # noqa: E731
    few = [(q, r) for q, r in pairs if 1 <= len(q.boxes) <= 5]
    absent = [(q, r) for q, r in pairs if len(q.boxes) == 0]
    return {
        "questions": len(pairs), "objects": true,
        "f1": ratio(2 * hits, predicted + true), "precision": ratio(hits, predicted), "recall": ratio(hits, true),
        "f1_iou25": ratio(2 * loose, predicted + true),
        "exact_1_to_5": share([len(q.boxes) == len(r.boxes) for q, r in few]),
        "within_1": share([abs(len(q.boxes) - len(r.boxes)) <= 1 for q, r in pairs]),
        "absent_empty": share([len(r.boxes) == 0 for q, r in absent]),
        "answer_agrees": share([agrees(q.task, r) for q, r in pairs]),
        "parsed": share([r.parsed for _, r in pairs]),
    }  # fmt: skip


def agrees(task: str, reply: Reply) -> bool:
    """Whether the answer says what the evidence says: its count, or yes and no, or as many boxes."""
    n = len(reply.boxes)
    if task == "count":
        return reply.answer == str(n)
    if task == "vqa":
        return reply.answer == ("yes" if n else "no")
    return reply.answer.count("],[") + 1 == n if n else reply.answer == "[]"


def table(result: dict) -> str:
    """The figures as fixed-width text, one row per group."""
    columns = ("questions", "objects", "f1", "precision", "recall", "f1_iou25", "exact_1_to_5", "within_1",
               "absent_empty", "answer_agrees", "parsed")  # fmt: skip
    rows = [("all", result["all"])]
    for kind in ("class", "shape", "task"):
        rows += [(name, figures_) for name, figures_ in result[kind].items()]
    lines = [f"{'':14}" + "".join(f"{c:>14}" for c in columns)]
    for name, f in rows:
        lines.append(f"{name:14}" + "".join(f"{'-' if f[c] is None else f[c]!s:>14}" for c in columns))
    return "\n".join(lines)


def draw_sheet(questions: Sequence[Question], replies: Sequence[Reply], path: Path, columns: int = 4) -> None:
    """Truth in green, predictions in red, on one picture."""
    import cv2

    side = 340
    cells = []
    for q, r in zip(questions, replies, strict=True):
        scale = (side - 40) / max(q.image.shape[:2])
        picture = cv2.resize(q.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        for boxes, colour in ((q.boxes, (0, 255, 0)), (r.boxes, (255, 0, 0))):
            for x0, y0, x1, y1 in np.round(np.asarray(boxes) * scale).astype(int):
                cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 1)
        cell = np.full((side, side, 3), 30, dtype=np.uint8)
        cell[: picture.shape[0], : picture.shape[1]] = picture
        caption = f"{q.task} {q.label}: {len(q.boxes)} true, {len(r.boxes)} said, answer {r.answer[:14]}"
        cv2.putText(cell, caption, (2, side - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
        cells.append(cell)
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def patch_count(question: Question) -> int:
    """Merged vision tokens of a question's tile."""
    return (question.image.shape[0] // CELL_PX) * (question.image.shape[1] // CELL_PX)
