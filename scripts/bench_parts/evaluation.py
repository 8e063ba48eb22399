"""What strict detection figures cost beside pycocotools, and that they are its figures: ./scripts/bench evaluation

The same random boxes go to both, each in a process of its own so that its peak memory is its own: ours makes all strict
measures and breakdowns (average precision among them), pycocotools' COCOeval average precision alone. Then one image
with a million boxes on each side. `--small` takes a twentieth of everything.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import BoxSet, Case, Family, Said, Truth
from groundproof_training.evaluation.statistics import estimate
from groundproof_training.evaluation.strict import detection
from groundproof_training.evaluation.strict.found_boxes import Table

IMAGES, BOXES = 100_000, 20
MILLION = 1_000_000
CLASSES = tuple(f"class {k}" for k in range(5))
SIDE_PX = 1024
DRAWS = 200
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def boxes_of(images: int, boxes: int, side_px: int, seed: int = 0) -> Columns:
    """True boxes (images, boxes, 4), predicted ones, classes of both (images, boxes), scores. Four of five predictions
    are near their object, the rest lie anywhere; whole px, so that both sides compute the very same overlaps."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, side_px - 120, (images, boxes, 2))
    true = np.concatenate([low, low + rng.integers(8, 120, (images, boxes, 2))], axis=2).astype(np.float64)
    said = true + rng.integers(-3, 4, true.shape)
    lost = rng.random((images, boxes)) < 0.2
    said[lost] = rng.permutation(true.reshape(-1, 4))[: int(lost.sum())]
    label = rng.integers(0, len(CLASSES), (images, boxes))
    named = np.where(rng.random(label.shape) < 0.05, (label + 1) % len(CLASSES), label)
    return true, said, label, named, rng.permutation(images * boxes).reshape(images, boxes) / (images * boxes)


def cases_of(columns: Columns, side_px: int) -> list[Case]:
    """One for each image."""
    cases = []
    for k, (true, said, label, named, scores) in enumerate(zip(*columns, strict=True)):
        images = (0,) * len(true)
        cases.append(
            Case(
                case_id=str(k),
                group=str(k),
                family=Family.DETECTION,
                task=Task.DETECT,
                question="",
                truth=Truth(boxes=BoxSet(true, tuple(CLASSES[c] for c in label), images)),
                said=Said(boxes=BoxSet(said, tuple(CLASSES[c] for c in named), images, scores=scores)),
                size=(float(side_px), float(side_px)),
            )
        )
    return cases


def ours(images: int, boxes: int, side_px: int, draws: int) -> dict[str, Any]:
    """All strict figures of detection."""
    cases = cases_of(boxes_of(images, boxes, side_px), side_px)
    groups = [case.group for case in cases]
    before = _peak_mb()
    start = time.perf_counter()
    measures = detection.measures(cases)
    figures = {one.name: one.value for one in estimate(measures, groups, draws=0)}
    alone = time.perf_counter() - start
    for parts in detection.breakdowns(cases).values():
        for made in parts.values():
            estimate(made, groups, draws=0)
    found = {"seconds": alone, "with_breakdowns": time.perf_counter() - start}
    found |= {
        "held_mb": before,
        "peak_mb": _peak_mb(),
        "ap": figures["ap@[.5:.95]"],
        "ap50": figures["ap@0.5"],
    }
    found |= {"f1": figures["f1@0.5"]}
    if draws:
        sums = [one for one in measures if not one.name.startswith("ap@")]
        start = time.perf_counter()
        estimate(sums, groups, draws=draws)
        found["intervals_of_sums"] = time.perf_counter() - start
        start = time.perf_counter()
        next(one for one in measures if one.name == "ap@[.5:.95]").of(np.ones((2, len(cases))))
        found["seconds_per_draw_of_ap"] = (time.perf_counter() - start) / 2
    return found


def pycocotools(images: int, boxes: int, side_px: int, draws: int) -> dict[str, Any]:
    """COCOeval's average precision over all areas, the number of boxes per image not limited."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    true, said, label, named, scores = boxes_of(images, boxes, side_px)
    lists: list[list[dict[str, Any]]] = []
    for one, names in ((true, label), (said, named)):
        flat = np.concatenate([one[..., :2], one[..., 2:] - one[..., :2]], axis=2).reshape(-1, 4)
        image = np.repeat(np.arange(images), boxes)
        rows = zip(
            image.tolist(), names.ravel().tolist(), flat.tolist(), scores.ravel().tolist(), strict=True
        )
        lists.append(
            [
                {
                    "id": k + 1,
                    "image_id": i,
                    "category_id": c,
                    "bbox": b,
                    "score": s,
                    "area": b[2] * b[3],
                    "iscrowd": 0,
                }
                for k, (i, c, b, s) in enumerate(rows)
            ]
        )
    before = _peak_mb()
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": k} for k in range(images)],
            "categories": [{"id": k} for k in range(len(CLASSES))],
            "annotations": lists[0],
        }
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(lists[1]), "bbox")
        run.params.maxDets = [max(100, boxes)]
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.evaluate()
        run.accumulate()
    seconds = time.perf_counter() - start
    precision = run.eval["precision"][..., 0, 0]
    return {
        "seconds": seconds,
        "held_mb": before,
        "peak_mb": _peak_mb(),
        "ap": float(precision.mean()),
        "ap50": float(precision[0].mean()),
    }


def one_image(images: int, boxes: int, side_px: int, draws: int) -> dict[str, Any]:
    """Every strict figure of one image; pairs: how many overlap at all."""
    cases = cases_of(boxes_of(images, boxes, side_px), side_px)
    before = _peak_mb()
    start = time.perf_counter()
    figures = {one.name: one.value for one in estimate(detection.measures(cases), ["one"], draws=0)}
    seconds = time.perf_counter() - start
    peak = _peak_mb()
    return {
        "seconds": seconds,
        "held_mb": before,
        "peak_mb": peak,
        "pairs": len(Table(cases).pairs),
        "f1": figures["f1@0.5"],
        "ap": figures["ap@[.5:.95]"],
    }


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def apart(what: Callable[..., dict[str, Any]], *arguments: int) -> dict[str, Any]:
    """Run in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(what, arguments)


def run(images: int = IMAGES, million: int = MILLION, draws: int = DRAWS) -> list[dict[str, Any]]:
    """One row for each measurement. seconds: wall clock; held_mb: memory of the process with all boxes before anything
    is computed, peak_mb: its highest."""
    mine = apart(ours, images, BOXES, SIDE_PX, draws)
    theirs = apart(pycocotools, images, BOXES, SIDE_PX, draws)
    same = all(abs(mine[key] - theirs[key]) < 1e-9 for key in ("ap", "ap50"))
    # As many boxes per px as in the small images.
    side_px = int(SIDE_PX * (million / BOXES) ** 0.5)
    large = apart(one_image, 1, million, side_px, 0)
    size = {"images": images, "boxes": BOXES}
    return [
        {"part": "evaluation", "case": "ours, every figure", **size, **mine},
        {"part": "evaluation", "case": "pycocotools, AP alone", **size, **theirs},
        {
            "part": "evaluation",
            "case": "ours / pycocotools",
            "seconds": mine["seconds"] / theirs["seconds"],
            "peak": mine["peak_mb"] / theirs["peak_mb"],
            "same_ap": same,
        },
        {"part": "evaluation", "case": "one image", "boxes": million, "side_px": side_px, **large},
    ]


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description="Strict detection beside pycocotools.")
    asked.add_argument("--small", action="store_true", help="a twentieth of the images and boxes")
    share = 20 if asked.parse_args().small else 1
    for row in run(IMAGES // share, MILLION // share):
        print("  ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
