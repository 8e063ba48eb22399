"""RSThinker's RS_Tester: JSON lines of image, question (or text), answer and, after a run, model_answer.

Knows that there `answer` is the truth, and that `model_answer` is a text or {"thinker", "answer"}, where "thinker"
repeats the whole text when no tags were found (RSThinker_infer_dataset.py, RS_Tester/worker.py at ea91280). Files whose
`answer` is the model's name their truth `ground_truth` or the like. Boxes are per-mille, x0 y0 x1 y1 (their tester
compares raw numbers; METRICS.md, 0.1).

One file holds one task there; here a row says what it is, by `task` or `type` where it has one of RS_Tester's words,
else by its question and truth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundproof.errors import UsageError
from groundproof.protocol import Task, infer_task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.prediction_files.base import (
    FileOptions,
    Frame,
    Loaded,
    Say,
    Tally,
    checked,
    clean,
    rows_of,
    silent,
    text_of,
)
from groundproof_training.evaluation.prediction_files.earthdial import ungrouped
from groundproof_training.evaluation.prediction_files.frames import looks_wrong
from groundproof_training.evaluation.prediction_files.joining import (
    Seen,
    TruthIndex,
    case_id_of,
    image_of,
    joined,
    keys_of,
    question_of,
    unique,
)
from groundproof_training.evaluation.prediction_files.samples_truth import is_samples, sample_index
from groundproof_training.evaluation.prediction_files.text_rows import (
    TASK_OF,
    Notation,
    TextCases,
    TextRow,
    calm,
    words_in,
)
from groundproof_training.metrics.counting import read_single
from groundproof_training.readers.texts import boxes_in, classes_in

SAID = ("model_answer", "prediction", "predict", "pred", "response", "output", "model_output")
TRUTHS = ("ground_truth", "groundtruth", "gt", "gt_answer", "target", "label", "reference", "references")
_TYPES = ("task", "task_type", "type", "vqa_type", "question_type", "category")
_FAMILIES = {
    "vg": Family.GROUNDING, "visual grounding": Family.GROUNDING, "grounding": Family.GROUNDING,
    "ground": Family.GROUNDING,
    "detect": Family.DETECTION, "detection": Family.DETECTION, "od": Family.DETECTION,
    "oc": Family.COUNTING, "count": Family.COUNTING, "counting": Family.COUNTING, "object counting": Family.COUNTING,
    "sc": Family.CLASSIFICATION, "classification": Family.CLASSIFICATION, "classify": Family.CLASSIFICATION,
    "scene classification": Family.CLASSIFICATION,
    "ic": Family.CAPTIONING, "caption": Family.CAPTIONING, "captioning": Family.CAPTIONING,
    "vqa": Family.VQA,
}  # fmt: skip
_CAPTION_WORDS = 6
"""Words from which on a truth without a closed list is a sentence and not an answer. Ours."""


class RsTesterRows:
    """See the module."""

    name = "rs_tester"
    summary = (
        "JSON lines: image, question|text, answer (the truth), model_answer; boxes per-mille x0 y0 x1 y1"
    )

    def read(self, path: Path, truth: Path | None, options: FileOptions, say: Say = silent) -> Loaded:
        """Each row with its own truth, or with that of its question in the file of truth."""
        tally = Tally.telling(say)
        frame = options.frame or Frame.PER_MILLE
        maker = TextCases(frame, options, tally, Notation.GEO_COT)
        if truth is not None:
            index = (
                sample_index(truth, frame, options) if is_samples(truth) else _index(truth, maker, options)
            )
            cases = list(joined(path, index, _said_beside_truth, maker, options))
        else:
            cases = _own(path, maker, options)
        tally.wrong_frame(path.name, looks_wrong(maker.said, frame, true=maker.true))
        tally.warnings += filter(None, [ungrouped(cases)])
        return Loaded.of(unique(cases), tally)


def _own(path: Path, maker: TextCases, options: FileOptions) -> list[Case]:
    seen, cases, tally = Seen(), list[Case](), maker.tally
    for where, number, row in rows_of(checked(path, options), tally, options):
        if seen.again(row, where, tally):
            continue
        truth_key, said_key = keys_of_texts(row)
        made = row_of(row, truth_key, where, number, tally)
        case = maker.posed(made) if made is not None else None
        if case is not None and made is not None:
            cases.append(maker.answered(case, said_in(row.get(said_key)), where, 1, made.question))
    if not cases and tally.problems.counts.get("no truth"):
        raise TrainingError(
            f"no row of {path} holds what is true (`answer` beside `model_answer`, or {', '.join(TRUTHS[:2])}); give "
            "it by --truth FILE, with the same image and question."
        )
    return cases


def keys_of_texts(row: dict[str, Any]) -> tuple[str | None, str]:
    """The keys of the truth and of what was said. `answer` is the truth beside a key for what was said, and what was
    said beside a key for the truth."""
    said = next((k for k in SAID if k in row), None)
    true = next((k for k in TRUTHS if row.get(k) not in (None, "")), None)
    if said is not None:
        return true or ("answer" if row.get("answer") not in (None, "") else None), said
    return true, "answer"


def said_in(value: Any) -> str | None:
    """What was said as one text: of {"thinker", "answer"} the tags that the inference script took off are put back."""
    if not isinstance(value, dict):
        return text_of(value)
    answer, think = text_of(value.get("answer")), text_of(value.get("thinker") or value.get("think"))
    if answer is None:
        return None
    if not think or think == answer:
        return answer
    return f"<think>{think}</think><answer>{answer}</answer>"


def _said_beside_truth(row: dict[str, Any]) -> str | None:
    """What was said, where another file has the truth; `answer` then is the model's unless another key is."""
    return said_in(row.get(next((k for k in SAID if k in row), "answer")))


def row_of(
    row: dict[str, Any], truth_key: str | None, where: str, number: int, tally: Tally
) -> TextRow | None:
    """Question and truth of a row; None, and the row left out, where one is missing."""
    question = question_of(row)
    if not question:
        tally.leave_out("no question", where, "neither `question` nor `text`")
        return None
    if truth_key is None:
        tally.leave_out("no truth", where, f"neither `answer` beside a model's, nor {', '.join(TRUTHS)}")
        return None
    value = row[truth_key]
    texts = [clean(v) for v in value if isinstance(v, str)] if isinstance(value, list) else []
    truth, further = (texts[0], tuple(texts[1:])) if texts else (text_of(value) or "", ())
    kind = next((clean(str(row[k])) for k in _TYPES if isinstance(row.get(k), str) and row[k].strip()), "")
    family = _FAMILIES.get(kind.casefold()) or family_of(question, truth, bool(further), kind)
    size = None
    if all(isinstance(row.get(k), int | float) and row[k] > 0 for k in ("width", "height")):
        size = float(row["width"]), float(row["height"])
    case_id = case_id_of(row, number, truth)
    return TextRow(
        where=where,
        case_id=case_id,
        group=image_of(row, whole=True) or case_id,
        question=question,
        truth=truth,
        references=further,
        meta={"type": "" if kind.casefold() in _FAMILIES else kind[:60]},
        size=size,
        task=TASK_OF[family],
        family=family,
    )


def family_of(question: str, truth: str, several: bool, kind: str = "") -> Family:
    """By the texts alone. several: the truth is a list of texts. kind: what the row calls itself, "" for nothing."""
    boxes = boxes_in(calm(truth))
    try:
        guess = infer_task(question[:2000]).task
    except UsageError:
        guess = Task.VQA
    if boxes and not any(c.isalpha() for c in words_in(truth)):
        return Family.GROUNDING if guess is Task.GROUND and len(boxes) == 1 else Family.DETECTION
    if truth.strip() in ("[]", "[[]]"):
        return Family.DETECTION
    if several or guess in (Task.CAPTION, Task.REGION_CAPTION, Task.GROUNDED_CAPTION):
        return Family.CAPTIONING
    if kind:
        return Family.VQA
    if guess is Task.COUNT and read_single(truth) is not None:
        return Family.COUNTING
    if classes_in(question) or guess is Task.CLASSIFY:
        return Family.CLASSIFICATION
    return Family.CAPTIONING if len(truth.split()) >= _CAPTION_WORDS else Family.VQA


def _index(truth: Path, maker: TextCases, options: FileOptions) -> TruthIndex:
    index, own = TruthIndex(), Tally(problems=maker.tally.problems)
    asking = TextCases(maker.frame, options, own, maker.notation, true=maker.true)
    for where, number, row in rows_of(checked(truth, options, "truth"), own, options):
        key = next((k for k in (*TRUTHS, "answer") if row.get(k) not in (None, "")), None)
        made = row_of(row, key, where, number, own)
        case = asking.posed(made) if made is not None else None
        if case is not None:
            index.add(case, keys_of(row), image_of(row), made)
    if not index.cases:
        raise TrainingError(f"{truth} holds no question with its truth (`answer`, {', '.join(TRUTHS[:2])}).")
    return index
