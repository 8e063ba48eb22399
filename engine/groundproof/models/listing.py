"""What `groundproof models` says of each profile, as a document and as words.

Knows profiles and whether one can answer here. Refuses to know terminals and to load weights.
"""

from __future__ import annotations

from typing import Any

from groundproof.boxes import BoxFrame
from groundproof.errors import ModelError
from groundproof.models.profile import Profile
from groundproof.models.profiles import KnownProfile
from groundproof.models.resolve import resolve

_FRAMES = {
    BoxFrame.PER_MILLE: "0 to 1000 across the tile",
    BoxFrame.RESIZED_PIXELS: "pixels of the tile",
    BoxFrame.RESIZED_PIXELS_ANGLE: "pixels of the tile, with an angle",
    BoxFrame.PERCENT_ANGLE: "0 to 100 across the tile, with an angle",
}


def describe(known: KnownProfile) -> dict[str, Any]:
    """One profile as a JSON document. "serve": what to write after a command to get answers from it."""
    profile = known.profile
    if profile is None:
        return {"name": known.name, "file": str(known.file), "available": False, "problem": known.problem}
    fields = profile.model_dump(mode="json", exclude={"name", "frame", "prompt", "ways", "gsd_m"})
    return {
        "name": known.name,
        "file": str(known.file) if known.file else None,
        "available": _answers_here(known.name),
        "serve": _serve(profile),
        "boxes": profile.frame.value,
        **fields,
    }


def in_words(known: KnownProfile, row: dict[str, Any]) -> list[tuple[str, str]]:
    """The same as topics and words, in the order to show them; a topic may go on with "". row: of `describe`."""
    file = [("file", row["file"])] if row["file"] else []
    profile = known.profile
    if profile is None:
        return [("here", f"no: {row['problem']}"), *file]
    needed = "a server" if profile.ways == ("server",) else "its weights, or a server"
    lines = [("what", profile.title), ("here", "yes" if row["available"] else f"with {needed}:")]
    lines += [("", way) for way in row["serve"]]
    if profile.serving:
        lines.append(("", f"({profile.serving})"))
    lines += [
        ("finds", ", ".join(profile.labels) if profile.labels else "any object it can name"),
        ("tiles", f"{profile.tile_px} px"),
        ("boxes", _FRAMES[profile.frame]),
        ("decoding", _decoding(profile)),
        ("run by us", "yes" if profile.weights_run else "no: only our code for it, never its own weights"),
        ("licence", profile.licence),
        ("weights", profile.source),
    ]
    return lines + file


def _decoding(profile: Profile) -> str:
    parts = ["greedy"]
    if profile.temperature:
        parts = [f"temperature {profile.temperature:g}", f"top_p {profile.top_p:g}"]
    if profile.repetition_penalty != 1:
        parts.append(f"repetition penalty {profile.repetition_penalty:g}")
    return ", ".join([*parts, f"at most {profile.max_new_tokens:,} tokens"])


def _serve(profile: Profile) -> list[str]:
    if profile.source == "embedded":
        return [f"--model {profile.name}"]
    ways = {
        "transformers": f"--model {profile.name}:FOLDER",
        "vllm": f"--model vllm:{profile.name}:FOLDER",
        "server": f"--model {profile.name}:http://HOST:8000/v1",
    }
    return [ways[way] for way in profile.ways]


def _answers_here(name: str) -> bool:
    try:
        resolve(name)
    except ModelError:
        return False
    return True
