"""What two configurations of a run differ in, in words.

Knows the fields of `RunConfig`. Refuses to know whether a difference matters.
"""

from __future__ import annotations

from typing import Any

from groundproof.config import RunConfig
from groundproof.datasets import without_secrets


def differences(ours: RunConfig, theirs: RunConfig) -> str:
    """Field by field, for a sentence: "tile_px was 448, is 896"."""
    old, new = ours.model_dump(mode="json"), theirs.model_dump(mode="json")
    return ", ".join(_difference(key, old[key], new[key]) for key in old if old[key] != new[key])


def _difference(key: str, ours: Any, theirs: Any) -> str:
    """What of a configuration differs, in words; of what there is one for each scene, not all of thousands."""
    if key.startswith("scene") and isinstance(ours, list):
        new, old = set(theirs) - set(ours), set(ours) - set(theirs)
        named = [f"{without_secrets(one)!r}" for one in theirs if one in new][:1]
        named += [f"{without_secrets(one)!r}" for one in ours if one in old][:1]
        such = f" such as {' and '.join(named)}" if named else ", in another order"
        return f"{key} were {len(ours):,}, are {len(theirs):,}: {len(new):,} new, {len(old):,} gone{such}"
    return f"{key} was {_shown(ours)}, is {_shown(theirs)}"


def _shown(value: Any) -> str:
    """One value of a configuration in words: questions by their text, a profile by its name."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return " and ".join(f'"{question.get("text")}" ({question.get("task")})' for question in value)
    return str(value.get("name")) if isinstance(value, dict) else repr(value)
