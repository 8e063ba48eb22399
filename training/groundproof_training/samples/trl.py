"""Samples as rows for TRL: `prompt` and `completion` as messages, `images` as paths, and the truth beside them.

The same rows feed SFTTrainer and GRPOTrainer, whose reward functions get the other columns. Knows this form. Refuses
to know trainers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from groundproof.models.profile import Profile
from groundproof_training.samples.rendering import Form, Size, completion_of, prompt_of
from groundproof_training.samples.types import Sample


def to_row(
    sample: Sample, profile: Profile, seen: tuple[Size, ...], form: Form | None, pictures: list[str]
) -> dict[str, Any]:
    """One row. form: None for rows without `completion`, for GRPO.

    gt: the sample as JSON text, so that a reward has the whole truth in px of the original. frame: how the prompt's
    model writes boxes. wh: width and height of each image as the model sees it. pictures: a path for each image.
    Raises ValueError as `completion_of`.
    """
    prompt = prompt_of(sample, profile, seen)
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    row: dict[str, Any] = {
        "task": str(sample.task),
        "images": pictures,
        "prompt": [*system, {"role": "user", "content": prompt.text}],
    }
    if form is not None:
        said = completion_of(sample, profile, seen, form)
        row["completion"] = [{"role": "assistant", "content": said}]
    return row | {
        "gt": sample.model_dump_json(),
        "frame": str(profile.frame),
        "wh": [list(size) for size in seen],
        "source": sample.source,
        "license": sample.licence,
        "sample_id": sample.sample_id,
    }


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """One row a line, whole or not at all; how many. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, written = path.with_name(f"{path.name}.part"), 0
    try:
        with part.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(f"{json.dumps(row, ensure_ascii=False)}\n")
                written += 1
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return written
