"""The report's files, each whole or not there. Knows paths; refuses to know what is in them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.report.machine import as_json
from groundproof_training.evaluation.report.markdown import markdown
from groundproof_training.evaluation.report.page import page
from groundproof_training.evaluation.results import Evaluation


def write_report(evaluation: Evaluation, out: Path) -> Path:
    """`report.html`, `report.md` and `report.json` in the folder `out`, which is made; the path of the first.

    All three are made before the first is written, each under a temporary name that is renamed. Raises TrainingError
    where the folder cannot be written.
    """
    texts = {
        "report.json": json.dumps(as_json(evaluation), indent=1, ensure_ascii=True, allow_nan=False) + "\n",
        "report.md": markdown(evaluation),
        "report.html": page(evaluation),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _write(out / name, text.encode("utf-8", "replace"))
    except OSError as err:
        raise TrainingError(
            f"the report cannot be written to {out}: {err.strerror or err}. Choose another folder with --out."
        ) from err
    return out / "report.html"


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.unlink(missing_ok=True)
    try:
        with temporary.open("xb") as file:  # never through a link that somebody else put there
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
