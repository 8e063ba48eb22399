"""Evaluations as `evaluate` would make them, small, for tests of the report."""

import io

import numpy as np
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.figures import Difference, Figure
from groundproof_training.evaluation.results import EntryResult, Evaluation, Published, Scores, Shown

NAN = float("nan")


def picture(size=(200, 100), form="JPEG", colour=(90, 120, 60)):
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, form)
    return written.getvalue()


def boxes(*rows, labels=None, images=None, **more):
    return BoxSet(
        np.array(rows, dtype=np.float64).reshape(-1, 4),
        tuple(labels or ["ship"] * len(rows)),
        tuple(images or [0] * len(rows)),
        **more,
    )


def case(said=(), true=(), *, text="[]", status=Status.OK, size=(200.0, 100.0), **more):
    wanted = {
        "case_id": "c1",
        "group": "g1",
        "family": Family.DETECTION,
        "task": Task.DETECT,
        "question": "Detect every ship.",
        "asked": ("ship",),
    }
    truth = true if isinstance(true, Truth) else Truth(boxes=boxes(*true))
    answer = said if isinstance(said, BoxSet) else boxes(*said)
    return Case(
        truth=truth,
        said=Said(text=text, answer=text, boxes=answer, status=status),
        size=size,
        **wanted | more,
    )


def scores(shift=0.0, note="Over all boxes."):
    strict = (
        Figure("f1@0.5", 0.4567 + shift, 0.4 + shift, 0.51 + shift, 62, note=note),
        Figure("ap@0.5", 0.2, None, None, 62),
        Figure("count-mae", 1.234, 0.9, 1.6, 62, "lower", unit="boxes"),
        Figure("absent-left-empty", NAN, None, None, 0),
        Figure("parse-rate", 0.97, 0.93, 1.0, 62),
    )
    return Scores(
        n=62,
        strict=strict,
        evidence=(Figure("evidence-f1@0.5", 0.31, 0.2, 0.41, 50),),
        compat={"rs_tester": (Figure("ap@0.5", 0.805, 0.7, 0.9, 62, note="x y x y is read as x y w h."),)},
        breakdowns={"size": {"small": strict[:2], "large": (Figure("f1@0.5", 0.9, 0.8, 0.95, 9),)}},
        statuses={"ok": 60, "unreadable": 2},
    )


def entry(models=("one", "two"), **more):
    wanted = {
        "name": "ships",
        "title": "Ships of a harbour",
        "family": Family.DETECTION,
        "status": "scored",
        "scores": {model: scores(0.1 * i) for i, model in enumerate(models)},
        "published": (Published("RSThinker", "mAP@.5", 77.06, "RSThinker, table 8", "other samples"),),
        "published_samples": "453 questions",
        "problems": {"cut answer": 17},
        "examples": {"cut answer": ["c7: cut after 512 tokens"]},
        "configuration": {"limit": 62},
    }
    if len(models) > 1:
        wanted["compared"] = {
            f"{models[0]} vs {models[1]}": (
                Difference("f1@0.5", 0.4567, 0.5567, -0.02, 0.22, 0.11, 62),
                Difference("count-mae", 1.234, 3.2, 1.2, 2.8, 0.001, 62, "lower"),
                Difference("absent-left-empty", NAN, NAN, None, None, None, 0),
            )
        }
    return EntryResult(**wanted | more)


def evaluation(*entries, models=("one", "two"), title="Suite test", configuration=None):
    return Evaluation(
        title,
        tuple(models),
        tuple(entries),
        configuration or {"draws": 1000, "seed": 0, "command": "evaluate"},
    )


def shown(one, content=None, score=0.5):
    return Shown(one, content, score)
