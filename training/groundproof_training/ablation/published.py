"""RSThinker's ablation as printed (arXiv 2509.22221, its ablation table). Never to be compared with ours directly."""

from __future__ import annotations

HEADS = ("VG", "OC", "Det", "IC", "SC", "VQA")
"""Grounding mIoU, counting MAE, detection mAP@0.5, captioning BLEU-4, classification and VQA accuracy; all but OC in
percent."""

ROWS: dict[str, tuple[float, ...]] = {
    "base": (56.26, 10.81, 3.56, 10.99, 69.78, 8.16),
    "+ SFT without CoT": (81.80, 3.272, 49.36, 31.14, 93.33, 63.57),
    "+ SFT with CoT": (87.70, 2.932, 74.03, 33.31, 96.67, 74.20),
    "+ SFT without CoT + GRPO": (86.47, 4.510, 56.77, 30.87, 97.56, 74.09),
    "+ SFT with CoT + GRPO": (89.02, 2.728, 77.06, 33.96, 96.89, 77.24),
}

NOTE = (
    "RSThinker's numbers are of GLM-4.1V-9B on real test sets, by its own rules (boxes read as x y width height, "
    "n-grams of characters); ours are of a small model on procedural scenes, by strict rules. Only the order of rows "
    "may be looked at side by side, never the values."
)


def printed(row: str | None, head: str | None) -> float | None:
    """One printed value; None where the paper has none."""
    if row is None or head is None:
        return None
    return ROWS[row][HEADS.index(head)]
