"""What a model folder can do on the frozen benchmark: boxes, counts, refusals, answers, with intervals.

    groundproof-train evaluate engine/groundproof/weights/tiny --scenes 200 --json

Loads the folder with transformers' own class, feeds it through transformers' own image processor and `generate`,
greedy, and reads the text with the engine's parser: nothing of the training code stands between. The questions are
`bench`'s, the figures `scoring`'s.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from transformers import Glm4vForConditionalGeneration, PreTrainedTokenizerFast
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil

from groundproof_training import bench
from groundproof_training.bench import BenchQuestion
from groundproof_training.scoring import (
    SIZES,
    WITHOUT_F1,
    Reply,
    Sums,
    add,
    box_sums,
    intervals,
    marks,
    ratios,
    read_reply,
    score,
)
from groundproof_training.sequences import Encoder

Pair = tuple[BenchQuestion, Reply]
Say = Callable[[str], None]

HEADLINE = (
    "f1", "precision", "recall", "f1_iou25", "exact", "exact_all", "count_mae", "absent", "consistent", "parsed",
    "vqa_accuracy", "classify_accuracy",
)  # fmt: skip
"""Figures that get an interval."""

COLUMNS = ("questions", "objects", "f1", "precision", "recall", "f1_iou25", "exact", "exact_all", "count_mae",
           "absent", "consistent", "answer", "parsed")  # fmt: skip

RENDER_S = 5.0
"""Seconds between two progress lines."""


class EvaluateConfig(BaseModel):
    """How much of the benchmark is asked. must_be_frozen: refuse a generator that the benchmark was not frozen
    with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = "bench-v1"
    scenes: int = Field(bench.SCENES, ge=1, le=bench.SCENES)
    batch_size: int = 16
    max_new_tokens: int = 1000
    must_be_frozen: bool = True


class Answerer:
    """A model folder, ready to answer; no training code touches the model."""

    def __init__(self, folder: Path) -> None:
        self.model = Glm4vForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        self.images = Glm4vImageProcessorPil.from_pretrained(folder)
        self._encoder = Encoder(self.tokenizer)

    @torch.no_grad()
    def texts(
        self, images: Sequence[Sequence[np.ndarray]], prompts: Sequence[str], max_new_tokens: int
    ) -> list[str]:
        """Greedy completions; one generate call. images: of each prompt, equal in number and size within a prompt."""
        flat = [image for row in images for image in row]
        pixels = self.images(images=flat, return_tensors="pt", input_data_format="channels_last")
        tokens = iter((pixels["image_grid_thw"].prod(-1) // 4).tolist())
        rows = []
        for text, row in zip(prompts, images, strict=True):
            each = [next(tokens) for _ in row]
            rows.append(self._encoder.prompt(text, each[0], len(each)))
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

    def replies(self, questions: Sequence[BenchQuestion], max_new_tokens: int) -> list[Reply]:
        """Answers of one batch, parsed."""
        images, prompts = [q.images for q in questions], [q.sample.prompt for q in questions]
        texts = self.texts(images, prompts, max_new_tokens)
        return [read_reply(text, q) for text, q in zip(texts, questions, strict=True)]


def questions_of(cfg: EvaluateConfig, report: Say = lambda line: None) -> list[BenchQuestion]:
    """The questions of the first `cfg.scenes` scenes in the benchmark's mixed order."""
    asked: list[BenchQuestion] = []
    started = said = time.monotonic()
    for done, index in enumerate(bench.shuffled(cfg.version)[: cfg.scenes], start=1):
        asked += bench.bench_questions(cfg.version, [index])
        if time.monotonic() - said > RENDER_S:
            said = time.monotonic()
            left = (said - started) / done * (cfg.scenes - done)
            report(f"{done}/{cfg.scenes} scenes rendered, {left:.0f} s left")
    return asked


def batches(questions: Sequence[BenchQuestion], size: int) -> list[list[int]]:
    """Indices of questions to answer together: one shape, about equally long truths, so that few wait for one."""
    groups: dict[tuple, list[int]] = defaultdict(list)
    for k, q in enumerate(questions):
        groups[q.width, q.height, len(q.images)].append(k)
    made = []
    for group in groups.values():
        group.sort(key=lambda k: len(questions[k].sample.completion))
        made += [group[start : start + size] for start in range(0, len(group), size)]
    # Long and short batches mixed, so that the time left is honest from the start.
    np.random.default_rng(0).shuffle(made)  # type: ignore[arg-type]
    return made


def answer_all(
    answerer: Answerer,
    questions: Sequence[BenchQuestion],
    cfg: EvaluateConfig,
    report: Say = lambda line: None,
) -> list[Pair]:
    """Every question with its reply, in the order of the questions."""
    replies: dict[int, Reply] = {}
    started = time.monotonic()
    for batch in batches(questions, cfg.batch_size):
        made = answerer.replies([questions[k] for k in batch], cfg.max_new_tokens)
        replies.update(zip(batch, made, strict=True))
        left = (time.monotonic() - started) / len(replies) * (len(questions) - len(replies))
        report(f"{len(replies)}/{len(questions)} questions, {left:.0f} s left")
    return [(q, replies[k]) for k, q in enumerate(questions)]


def evaluate(
    folder: Path, cfg: EvaluateConfig, report: Say = lambda line: None, sheet: Path | None = None
) -> dict:
    """All figures as one JSON-able dictionary; `report` gets progress lines; `sheet` a picture of best and worst.

    Raises BenchChangedError when the generator is not the one the benchmark was frozen with.
    """
    frozen = _frozen(cfg)
    started = time.monotonic()
    questions = questions_of(cfg, report)
    pairs = answer_all(Answerer(folder), questions, cfg, report)
    if sheet is not None:
        draw_sheet(pairs, sheet)
    head = {"folder": folder.name, "bench": cfg.version, "frozen": frozen, "scenes": cfg.scenes}
    return head | {"seconds": round(time.monotonic() - started, 1)} | figures(pairs)


def _frozen(cfg: EvaluateConfig) -> bool:
    if cfg.must_be_frozen:
        bench.check_generator(cfg.version)
        return True
    try:
        bench.check_generator(cfg.version)
    except bench.BenchChangedError:
        return False
    return True


def figures(pairs: Sequence[Pair]) -> dict:
    """Figures of everything, with intervals, then by class, task, object size and shape."""
    scored = [(q, r, score(q, r)) for q, r in pairs]
    by_scene: dict[int, list[Sums]] = defaultdict(list)
    for q, _, sums in scored:
        by_scene[q.scene].append(sums)
    total = group(scored)
    total["intervals"] = intervals([add(many) for many in by_scene.values()], HEADLINE)
    seen = [(q, m) for q, r in pairs if q.sample.task not in WITHOUT_F1 for m in marks(q, r)]
    labels = sorted(
        {m.label for _, m in seen if m.label} | {q.sample.label for q, _ in pairs if q.sample.label}
    )
    result = {"questions": len(pairs), "all": total, "class": {}, "task": {}, "size": {}, "shape": {}}
    for label in labels:
        # Boxes by their own class, whatever was asked; counts and refusals by the class asked about.
        mine = group([row for row in scored if row[0].sample.label == label])
        boxes = [m for _, m in seen if m.label == label]
        result["class"][label] = mine | _of_marks(boxes)
    for task in sorted({q.sample.task for q, _ in pairs}):
        result["task"][task] = group([row for row in scored if row[0].sample.task == task])
    for name, _ in SIZES:
        boxes = [m for _, m in seen if m.size == name]
        if boxes:
            result["size"][name] = {"questions": None} | _of_marks(boxes)
    for shape in sorted({(q.width, q.height) for q, _ in pairs}):
        rows = [row for row in scored if (row[0].width, row[0].height) == shape]
        result["shape"][f"{shape[0]}x{shape[1]}"] = group(rows)
    return result


def group(rows: Sequence[tuple[BenchQuestion, Reply, Sums]]) -> dict:
    """Figures of some questions."""
    objects = sum(len(q.boxes) for q, _, _ in rows)
    return {"questions": len(rows), "objects": objects, **ratios(add(sums for _, _, sums in rows))}


def _of_marks(made: Sequence) -> dict:
    return {"objects": sum(m.true for m in made), **ratios(box_sums(made))}


def table(result: dict) -> str:
    """The figures as fixed-width text, one row per group, then the intervals."""
    rows = [("all", result["all"])]
    for kind in ("class", "task", "size", "shape"):
        rows += [(f"{kind} {name}", figures_) for name, figures_ in result[kind].items()]
    width = max(len(name) for name, _ in rows) + 1
    lines = [" " * width + "".join(f"{c:>11}" for c in COLUMNS)]
    for name, f in rows:
        lines.append(f"{name:{width}}" + "".join(_cell(f.get(c)) for c in COLUMNS))
    lines.append("")
    for key, (low, high) in result["all"]["intervals"].items():
        lines.append(f"{key:20}{result['all'][key]:>8.3f}   95 % {low:.3f} to {high:.3f}")
    if not result.get("frozen", True):
        lines.append("\nnot comparable: the generator is not the one the benchmark was frozen with")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    if value is None:
        return f"{'-':>11}"
    return f"{value:>11.3f}" if isinstance(value, float) else f"{value:>11}"


def pair_f1(pair: Pair) -> float:
    """F1 at IoU 0.5 of one answer; 1 where nothing is there and nothing was said."""
    up, down = box_sums(marks(*pair))["f1"]
    return up / down if down else 1.0


def draw_sheet(pairs: Iterable[Pair], path: Path, each: int = 8, columns: int = 4) -> None:
    """The best and the worst answers about objects by F1, on one picture: truth green, said red, best first."""
    import cv2

    listed = [p for p in pairs if len(p[0].boxes) and p[0].sample.task not in WITHOUT_F1]
    order = sorted(listed, key=pair_f1, reverse=True)
    shown = order if len(order) <= 2 * each else [*order[:each], *order[-each:]]
    cells = [_draw(q, r, 340) for q, r in shown] or [np.zeros((340, 340, 3), dtype=np.uint8)]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    if not cv2.imwrite(str(path), np.vstack(rows)[..., ::-1]):
        raise OSError(
            f"the sheet could not be written to {path}; name a .png or .jpg in a folder that exists"
        )


def _draw(q: BenchQuestion, r: Reply, side: int) -> np.ndarray:
    import cv2

    image = q.images[-1]
    scale = (side - 40) / max(image.shape[:2])
    picture = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    for boxes, colour in ((q.boxes, (0, 255, 0)), (r.boxes, (255, 0, 0))):
        for x0, y0, x1, y1 in np.round(np.asarray(boxes) * scale).astype(int).tolist():
            cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 1)
    cell = np.full((side, side, 3), 30, dtype=np.uint8)
    cell[: picture.shape[0], : picture.shape[1]] = picture
    said = r.answer if len(r.answer) < 16 else r.answer[:14] + ".."
    lines = (
        f"F1 {pair_f1((q, r)):.2f}, {len(q.boxes)} true, {len(r.boxes)} said: {said}",
        q.sample.prompt[:52],
    )
    for k, line in enumerate(lines):
        cv2.putText(cell, line, (2, side - 24 + 16 * k), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1)
    return cell
