"""One merge of boxes by one library, in a process of its own: python merge_peers.py KIND BOXES.npz

KIND: ours, sahi-greedynmm, sahi-nms, supervision-nmm, supervision-nms. Prints JSON: seconds, peak MiB above what the
process held before, boxes that survive; or what went wrong. Needs numpy and the library of KIND alone.

The others want a score, which vision-language models do not give: they get the rank that ours uses (farthest from
its tile's inner edges), so that all prefer the same boxes. Only the arrays are timed, not the objects around them.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

MOST_BYTES = 8 * 2**30
"""More memory than this is refused."""
THRESHOLD = 0.5


def scored(boxes: dict[str, np.ndarray]) -> np.ndarray:
    """Rows x0, y0, x1, y1, score, label."""
    window = boxes["windows"][boxes["tile"]]
    inner = window * [1, 1, -1, -1] > np.array([0, 0, *(-boxes["scene_size"])])
    gap = np.where(inner, (boxes["xyxy"] - window) * [1, 1, -1, -1], 1e4).min(axis=1)
    score = 1 / (1 + np.exp(-np.clip(gap, 0, 400) / 100))
    return np.column_stack([boxes["xyxy"], score, boxes["label"]])


def merger(kind: str, boxes: dict[str, np.ndarray]) -> Callable[[], int]:
    """What is timed; returns the survivors."""
    rows = scored(boxes)
    if kind == "ours":
        from groundproof.merge import SeenBoxes, merge

        names = ("xyxy", "label", "image", "tile", "windows", "tile_rank")
        width, height = boxes["scene_size"].tolist()
        seen = SeenBoxes(*(boxes[name] for name in names), (width, height))
        return lambda: len(merge(seen).keepers)
    library, _, method = kind.partition("-")
    if library == "sahi":
        from sahi.postprocess import combine

        apply = {"greedynmm": combine.batched_greedy_nmm, "nms": combine.batched_nms}[method]
        return lambda: len(apply(rows, "IOS", THRESHOLD))
    from supervision.detection.utils import iou_and_nms

    ios = iou_and_nms.OverlapMetric.IOS
    if method == "nms":
        return lambda: int(iou_and_nms.box_non_max_suppression(rows, THRESHOLD, ios).sum())
    return lambda: len(iou_and_nms.box_non_max_merge(rows, THRESHOLD, ios))


def peak_mib() -> float:
    """Of this process since it began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main() -> None:
    """Prints one line."""
    kind, path = sys.argv[1:]
    boxes = dict(np.load(path))
    merged = merger(kind, boxes)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    before, started = peak_mib(), time.perf_counter()
    try:
        survivors = merged()
    except MemoryError as err:
        print(json.dumps({"error": f"out of memory: {err}"}))
        return
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "mib": peak_mib() - before, "survivors": survivors}))


if __name__ == "__main__":
    main()
