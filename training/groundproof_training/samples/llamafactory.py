"""Samples as LLaMA-Factory's conversations, with RSThinker's published keys, in their order, and its placeholder.

    [{"messages": [{"content": "<image>Detect all ...", "role": "user"}, {"content": "<think>...", "role":
    "assistant"}], "images": ["..."]}]

(github.com/minglangL/RSThinker, README.) Knows this form. Refuses to know where pictures come from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from groundproof.models.profile import Profile
from groundproof_training.samples.rendering import Form, Size, completion_of, prompt_of
from groundproof_training.samples.types import Sample

PLACEHOLDER = "<image>"
"""One for each picture, in front of the question."""


def to_messages(
    sample: Sample, profile: Profile, seen: tuple[Size, ...], form: Form, pictures: list[str]
) -> dict[str, Any]:
    """One conversation. pictures: a path for each of the sample's images. Raises ValueError as `completion_of`."""
    prompt = prompt_of(sample, profile, seen)
    system = [{"content": prompt.system, "role": "system"}] if prompt.system else []
    return {
        "messages": [
            *system,
            {"content": PLACEHOLDER * len(pictures) + prompt.text, "role": "user"},
            {"content": completion_of(sample, profile, seen, form), "role": "assistant"},
        ],
        "images": pictures,
    }


def write_messages(path: Path, conversations: Iterable[dict[str, Any]]) -> int:
    """One JSON array, a conversation a line, whole or not at all; how many. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, written = path.with_name(f"{path.name}.part"), 0
    try:
        with part.open("w", encoding="utf-8") as file:
            for one in conversations:
                file.write(("[\n" if not written else ",\n") + json.dumps(one, ensure_ascii=False))
                written += 1
            file.write("\n]\n" if written else "[]\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return written
