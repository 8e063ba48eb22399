"""What a person wrote after --model -> one profile and one folder of weights.

Knows names, folders and the files a checkpoint needs. Refuses to load weights or reach a network.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from groundproof.errors import ModelError
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.profiles import PROFILES, Profile, get_profile

PROFILE_FILE = "groundproof.json"
"""Optional file beside the weights: `Profile` fields, over those of the built-in profile named by "base"."""

SMALL_HIDDEN_SIZE = 1024
"""A GLM-4V text model narrower than this cannot follow written instructions; it can only be a native one."""

PROFILE_OF_TYPE = {"qwen2_5_vl": "qwen2.5-vl", "qwen3_vl": "qwen3-vl"}
"""config.json's model_type -> profile, where one family has one profile."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that can be loaded: how to talk to it, and where its checked files lie.

    note: one sentence when the profile was guessed, to be said aloud; else None.
    """

    profile: Profile
    folder: Path
    note: str | None = None


def resolve(model: str) -> ModelSpec:
    """A profile name, a checkpoint folder, or PROFILE:FOLDER -> a spec whose files are all there.

    A folder without a named profile takes its `groundproof.json`; without that, config.json's model_type
    decides, and `note` says so.

    Raises: ModelError when the name is unknown, the folder or one of its files is missing, the weights are
    not safetensors, or the profile's weights do not come with the package.
    """
    name, colon, rest = model.partition(":")
    if colon and name in PROFILES:
        folder = _checkpoint(Path(rest).expanduser())
        return ModelSpec(PROFILES[name], folder)
    if model in PROFILES:
        return _named(PROFILES[model])
    folder = Path(model).expanduser()
    if not folder.exists() and colon and "/" not in name and "\\" not in name and len(name) > 1:
        get_profile(name)
    if not folder.exists():
        raise ModelError(
            f"{model!r} is neither a model profile nor a folder. Known profiles: {', '.join(PROFILES)}; "
            "or give the folder of a checkpoint, or PROFILE:FOLDER."
        )
    return _guessed(_checkpoint(folder))


def _named(profile: Profile) -> ModelSpec:
    if profile.source != "embedded":
        raise ModelError(
            f"The weights of {profile.name} are not on this machine: vLLM and HTTP serving come with the "
            f"service; give a folder, as in --model {profile.name}:FOLDER (weights: {profile.source})."
        )
    if not EMBEDDED_FOLDER.is_dir():
        raise ModelError(
            f"This installation has no embedded model (looked in {EMBEDDED_FOLDER}). Install a released "
            "package, make the weights with `groundproof-train` (`groundproof-train --help` lists the "
            "stages), or give the folder of a checkpoint with --model."
        )
    folder = _checkpoint(EMBEDDED_FOLDER)
    return ModelSpec(_written_profile(folder) or profile, folder)


def _guessed(folder: Path) -> ModelSpec:
    written = _written_profile(folder)
    if written is not None:
        return ModelSpec(written, folder)
    config = _json_object(folder / "config.json")
    kind = config.get("model_type")
    if kind == "glm4v":
        text = config.get("text_config")
        width = text.get("hidden_size", 0) if isinstance(text, dict) else 0
        name = "tiny" if 0 < width < SMALL_HIDDEN_SIZE else "glm-4.1v-thinking"
        if "rsthinker" in folder.resolve().name.lower():
            name = "rsthinker"
    elif kind in PROFILE_OF_TYPE:
        name = PROFILE_OF_TYPE[kind]
    else:
        raise ModelError(
            f"{folder} holds a model of type {kind!r}, which no profile describes. Say how to talk to it with "
            f"PROFILE:FOLDER; known profiles: {', '.join(PROFILES)}."
        )
    note = (
        f"{folder} has no {PROFILE_FILE}: its type {kind} is taken for the profile {name}. "
        f"Choose another with --model PROFILE:{folder}."
    )
    return ModelSpec(PROFILES[name], folder, note)


def _written_profile(folder: Path) -> Profile | None:
    path = folder / PROFILE_FILE
    if not path.is_file():
        return None
    fields = _json_object(path)
    base = fields.pop("base", None)
    if base is not None:
        fields = {**get_profile(str(base)).model_dump(), **fields}
    try:
        return Profile.model_validate(fields)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"{path} is not a model profile: {where}: {first['msg']}.") from err


def _checkpoint(folder: Path) -> Path:
    """The folder, when it holds a config and complete safetensors weights."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ModelError(f"The model folder {folder} {what}. Give the folder of a checkpoint.")
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json, so it is not the folder of a checkpoint.")
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = _json_object(index).get("weight_map", {})
        missing = sorted({str(s) for s in shards.values()} - {p.name for p in folder.iterdir()})
        if not shards or missing:
            raise ModelError(
                f"{folder} lacks weight files named by {index.name}: {', '.join(missing) or 'all'}."
            )
    elif not (folder / "model.safetensors").is_file():
        pickles = sorted(p.name for p in folder.iterdir() if p.suffix in {".bin", ".pt", ".pth"})
        if pickles:
            raise ModelError(
                f"{folder} has its weights as {pickles[0]}, a pickle, which can run any code when opened. "
                "Only safetensors are read; convert it where you trust it (save_pretrained writes safetensors)."
            )
        raise ModelError(f"{folder} has no weights: model.safetensors, or shards with an index, are needed.")
    return folder


def _json_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise ModelError(f"{path} cannot be read as JSON: {err}.") from err
    if not isinstance(value, dict):
        raise ModelError(f"{path} holds {type(value).__name__}, not a JSON object.")
    return value
