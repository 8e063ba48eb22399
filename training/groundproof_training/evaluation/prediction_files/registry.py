"""Every format by its name."""

from __future__ import annotations

from pathlib import Path

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Status
from groundproof_training.evaluation.prediction_files.base import FileOptions, Format, Loaded, Say, silent
from groundproof_training.evaluation.prediction_files.coco import CocoResults
from groundproof_training.evaluation.prediction_files.earthdial import EarthDialRows
from groundproof_training.evaluation.prediction_files.geochat import GeoChatRows
from groundproof_training.evaluation.prediction_files.rs_tester import RsTesterRows
from groundproof_training.evaluation.prediction_files.run import RunResults

FORMATS: dict[str, Format] = {
    one.name: one for one in (RsTesterRows(), EarthDialRows(), GeoChatRows(), CocoResults(), RunResults())
}


def load(
    path: Path,
    name: str,
    truth: Path | None = None,
    options: FileOptions | None = None,
    say: Say = silent,
) -> Loaded:
    """A file of predictions as cases. Raises TrainingError for an unknown format, or where no answer is in them: of a
    file of another format, or one that belongs to another truth."""
    if name not in FORMATS:
        raise TrainingError(f"there is no format {name!r}; it is one of {', '.join(FORMATS)}.")
    loaded = FORMATS[name].read(path, truth, options or FileOptions(), say)
    if all(case.said.status is Status.MISSING for case in loaded.cases):
        kinds = "; ".join(f"{n} x {kind}" for kind, n in loaded.problems.counts.most_common())
        first = next((ex[0] for ex in loaded.problems.examples.values() if ex), "")
        raise TrainingError(
            f"{path} holds nothing that can be scored as {name}: {loaded.rows} rows, {kinds or 'none of them usable'}"
            + (f" ({first})" if first else "")
            + "; check --format and --truth."
        )
    return loaded
