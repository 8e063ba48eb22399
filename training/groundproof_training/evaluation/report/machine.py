"""The report for machines."""

from __future__ import annotations

from typing import Any

from groundproof_training.evaluation.prediction_files import summary
from groundproof_training.evaluation.results import Evaluation


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """What `evaluate --json` prints for a suite (`summary.evaluation_json`), and what the published rows rest on.
    Numbers are unrounded; one that is not defined is null. Entries are named once, so they are keys."""
    made = summary.evaluation_json(evaluation)
    for entry in evaluation.entries:
        made["entries"][entry.name]["published_samples"] = entry.published_samples
    return made
